// The usual API broker: express in front, axios behind, whole bodies in between, nothing else done.
// node broker.js FOLDER PORT UPSTREAM_PORT; FOLDER holds server.pem, server.key, ca.pem; NODE_PATH the packages.
const fs = require('node:fs')
const https = require('node:https')
const axios = require('axios')
const express = require('express')

const [folder, port, upstreamPort] = process.argv.slice(2)
const file = (name) => fs.readFileSync(`${folder}/${name}`)
const upstream = axios.create({
  baseURL: `https://localhost:${upstreamPort}`,
  httpsAgent: new https.Agent({ keepAlive: true, maxSockets: 256, ca: file('ca.pem'), minVersion: 'TLSv1.3' }),
  responseType: 'arraybuffer',
  validateStatus: () => true
})

const broker = express()
broker.disable('x-powered-by')
broker.set('etag', false)
broker.use(async (request, response) => {
  const { host, ...headers } = request.headers
  const answer = await upstream.request({ method: request.method, url: request.originalUrl, headers })
  response.status(answer.status).set('content-type', answer.headers['content-type']).send(answer.data)
})
const server = https.createServer({ key: file('server.key'), cert: file('server.pem'), minVersion: 'TLSv1.3' }, broker)
// A connection that rests between two rounds is not closed.
server.keepAliveTimeout = 300_000
server.listen(Number(port), '127.0.0.1')
