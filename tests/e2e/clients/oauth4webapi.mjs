// oauth4webapi 3, which leaves every step to its caller and every check to itself: code + PKCE + DPoP, device
// grant, refresh, revocation; nonces by hand, once for each kind of server.
import * as oauth from 'oauth4webapi'
import { ask, loopback, settings, tell } from './stage.mjs'

const issuer = new URL(settings.issuer)
const client = { client_id: settings.clientId }
const none = oauth.None()

async function withNonce (attempt) {
  try {
    return await attempt()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return attempt()
  }
}

async function signIn (as, DPoP) {
  const { redirectUri, arrived } = await loopback()
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: 'orders',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256'
  })
  ask({ approve: url.href })
  const parameters = oauth.validateAuthResponse(as, client, await arrived, state)
  return withNonce(async () => oauth.processAuthorizationCodeResponse(as, client,
    await oauth.authorizationCodeGrantRequest(as, client, none, parameters, redirectUri, verifier, { DPoP })))
}

async function letIn (as, DPoP) {
  const asked = new URLSearchParams({ scope: 'orders' })
  const begun = await oauth.processDeviceAuthorizationResponse(as, client,
    await oauth.deviceAuthorizationRequest(as, client, none, asked))
  const answers = []
  for (;;) {
    try {
      const tokens = await withNonce(async () => oauth.processDeviceCodeResponse(as, client,
        await oauth.deviceCodeGrantRequest(as, client, none, begun.device_code, { DPoP })))
      return { tokens, answers }
    } catch (error) {
      answers.push(error.error)
      if (error.error === 'authorization_pending' && answers.length === 1) {
        ask({ letIn: begun.user_code, at: begun.verification_uri })
      } else if (!['authorization_pending', 'slow_down'].includes(error.error)) {
        throw error
      }
      await new Promise((resolve) => setTimeout(resolve, settings.pauseMs))
    }
  }
}

async function refresh (as, DPoP, token) {
  return withNonce(async () => oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, none, token, { DPoP })))
}

async function call (DPoP, tokens) {
  const url = new URL(settings.resource, issuer)
  const answer = await withNonce(() =>
    oauth.protectedResourceRequest(tokens.access_token, 'GET', url, undefined, undefined, { DPoP }))
  return answer.status
}

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }))
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('Ed25519'))
const first = await signIn(as, DPoP)
const { tokens: granted, answers } = await letIn(as, DPoP)
const second = await refresh(as, DPoP, granted.refresh_token)
const statuses = [await call(DPoP, first), await call(DPoP, second)]
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, none, second.refresh_token))
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, none, 'never was one'))
let afterSignOut = 'not refused'
try {
  await refresh(as, DPoP, second.refresh_token)
} catch (error) {
  afterSignOut = error.error
}
tell({ tokenType: first.token_type, answers, statuses, afterSignOut })
