// What every client's story stands on: it asks its person by a line of JSON, and tells what it saw by another.
import { createServer } from 'node:http'
import { once } from 'node:events'

export const settings = JSON.parse(process.argv[2])

/** Tell the person in front of the desktop what to do. */
export function ask (errand) {
  process.stdout.write(JSON.stringify({ ask: errand }) + '\n')
}

/** Tell what was seen; the last line of a story. */
export function tell (seen) {
  process.stdout.write(JSON.stringify({ seen }) + '\n')
}

/** Return a loopback listener: its redirect URI, and the URL with which the browser comes back. */
export async function loopback () {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const redirectUri = `http://127.0.0.1:${server.address().port}/callback`
  const arrived = once(server, 'request').then(([request, response]) => {
    response.end('You can close this window.')
    server.close()
    server.closeIdleConnections()
    return new URL(request.url, redirectUri)
  })
  return { redirectUri, arrived }
}

/** Return a fetch that counts requests by path, and how often a nonce was asked for. */
export function counting () {
  const seen = { requests: 0, challenges: 0 }
  const counted = async (url, options) => {
    const answer = await fetch(url, options)
    seen.requests += 1
    if (answer.status === 401 || answer.status === 400) {
      const text = `${answer.headers.get('www-authenticate')} ${await answer.clone().text()}`
      if (text.includes('use_dpop_nonce')) seen.challenges += 1
    }
    return answer
  }
  return { seen, counted }
}
