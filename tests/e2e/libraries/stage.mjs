// What every JavaScript program stands on: lines of JSON in, lines of JSON out.
import { createInterface } from 'node:readline'

const TEXT_CHARS_MAX = 2000
const UNDER_WAY = ['IN_QUEUE', 'IN_PROGRESS']

/** Do what each line of standard input asks for, until there are no more. */
export async function serve (verbs) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...asked } = JSON.parse(line)
    process.stdout.write(JSON.stringify(await answer(verbs[name], asked)) + '\n')
  }
}

/** Return a promise that is kept after some seconds. */
export function pause (seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

/** Return a feed's status once it is not under way any more. */
export async function settled (status, pauseS) {
  for (;;) {
    const found = await status()
    if (!UNDER_WAY.includes(found)) return found
    await pause(pauseS)
  }
}

/** Send a document where an answer says, and expect 200. */
export async function put (url, body, contentType) {
  const answer = await fetch(url, { method: 'PUT', body, headers: { 'Content-Type': contentType } })
  if (answer.status !== 200) throw new Error(`the upload was answered ${answer.status}`)
}

/** Return the text of a document from where an answer says. */
export async function download ({ url, compressionAlgorithm }) {
  const answer = await fetch(url)
  if (answer.status !== 200) throw new Error(`the download was answered ${answer.status}`)
  const body = compressionAlgorithm === 'GZIP' ? answer.body.pipeThrough(new DecompressionStream('gzip')) : answer.body
  return new Response(body).text()
}

async function answer (verb, asked) {
  try {
    return { seen: await verb(asked) ?? null }
  } catch (error) {
    const { name, message, code, details } = error
    const text = [message, code, details, JSON.stringify(error.response?.body ?? error.response?.data)].join(' ')
    return { raised: { name: name ?? error.constructor.name, text: text.slice(0, TEXT_CHARS_MAX) } }
  }
}
