// openid-client 6, as a desktop developer uses it: discovery, code + PKCE + DPoP, calls, refresh, device grant,
// revocation. The client itself checks issuer, state, PKCE and the token type, and answers nonces.
import * as client from 'openid-client'
import { ask, counting, loopback, settings, tell } from './stage.mjs'

const facts = { device_platform: 'linux', device_version: '4.2.0', device_key_storage: 'file' }
const { seen, counted } = counting()

async function discover (algorithm) {
  const options = { algorithm, [client.customFetch]: counted }
  return client.discovery(new URL(settings.issuer), settings.clientId, undefined, client.None(), options)
}

async function signIn (config, DPoP) {
  const { redirectUri, arrived } = await loopback()
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'orders',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    dpop_jkt: await DPoP.calculateThumbprint(),
    ...facts
  })
  ask({ approve: url.href })
  return client.authorizationCodeGrant(config, await arrived, { pkceCodeVerifier, expectedState }, undefined, { DPoP })
}

async function letIn (config, DPoP) {
  const begun = await client.initiateDeviceAuthorization(config, { scope: 'orders', ...facts })
  ask({ letIn: begun.user_code, at: begun.verification_uri_complete })
  return client.pollDeviceAuthorizationGrant(config, begun, undefined, { DPoP })
}

async function call (config, tokens, DPoP) {
  const url = new URL(settings.resource, settings.issuer)
  const answer = await client.fetchProtectedResource(config, tokens.access_token, url, 'GET', undefined, undefined, { DPoP })
  await answer.arrayBuffer()
  return answer.status
}

async function inspect (config, tokens, DPoP) {
  const url = new URL(config.serverMetadata().introspection_endpoint)
  const body = new URLSearchParams({ token: tokens.access_token })
  const answer = await client.fetchProtectedResource(config, tokens.access_token, url, 'POST', body, undefined, { DPoP })
  return answer.json()
}

async function refused (attempt) {
  try {
    await attempt()
  } catch (error) {
    return error.error ?? error.cause?.[0]?.parameters?.error ?? error.code
  }
  return 'not refused'
}

const config = await discover('oidc')
await discover('oauth2')
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
const first = await signIn(config, DPoP)
const statuses = [await call(config, first, DPoP)]
const second = await client.refreshTokenGrant(config, first.refresh_token, { device_version: '4.3.0' }, { DPoP })
for (let calls = 0; calls < 5; calls += 1) statuses.push(await call(config, second, DPoP))
const about = await inspect(config, second, DPoP)
const challenges = seen.challenges
await client.tokenRevocation(config, second.access_token)
const afterRevocation = await refused(() => call(config, second, DPoP))
await client.tokenRevocation(config, second.refresh_token)
const afterSignOut = await refused(() => client.refreshTokenGrant(config, second.refresh_token, undefined, { DPoP }))
const granted = await letIn(config, DPoP)
statuses.push(await call(config, granted, DPoP))
const third = await client.refreshTokenGrant(config, granted.refresh_token, undefined, { DPoP })
tell({
  tokenType: first.token_type,
  rotated: first.refresh_token !== second.refresh_token && granted.refresh_token !== third.refresh_token,
  statuses,
  challenges,
  about,
  afterRevocation,
  afterSignOut
})
