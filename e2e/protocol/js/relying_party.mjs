// A JavaScript relying party (openid-client) that takes every protocol step once, and says what came back.
//
// It speaks JSON lines with the test that runs it. In: the settings. Out: the authorization URL. In: where the
// person's browser came back to. Out: the results of all steps. An error ends it with exit code 1 and a message.
import { createInterface } from 'node:readline/promises';
import * as client from 'openid-client';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const receive = async () => JSON.parse((await lines.next()).value);
const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

async function connect({ issuer, client_id, client_secret }) {
  const options = { execute: [client.allowInsecureRequests] }; // a test server has no certificate
  const auth = client.ClientSecretBasic(client_secret);
  const config = await client.discovery(new URL(issuer), client_id, undefined, auth, options);
  client.enableNonRepudiationChecks(config); // verify ID token signatures too, though they came over a direct call
  return config;
}

async function refusal(step) {
  try {
    await step;
    return null;
  } catch (problem) {
    return problem.error ?? problem.code ?? problem.message;
  }
}

async function signIn(config, { redirect_uri, scope }, { replayed = false } = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  send({ authorize: url.href });
  const { callback } = await receive();
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks);
  if (!replayed) return { tokens };
  return { tokens, replay: await refusal(client.authorizationCodeGrant(config, new URL(callback), checks)) };
}

async function main() {
  const settings = await receive();
  const web = await connect(settings.web);
  const service = await connect(settings.service);

  // The code is used a second time in a sign-in of its own: that withdraws what the first use gave.
  const { replay } = await signIn(web, settings.web, { replayed: true });
  const { tokens } = await signIn(web, settings.web);
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(web, tokens.access_token, claims.sub);
  const refreshed = await client.refreshTokenGrant(web, tokens.refresh_token);
  const alive = await client.tokenIntrospection(web, refreshed.access_token);
  await client.tokenRevocation(web, refreshed.refresh_token);
  const machine = await client.clientCredentialsGrant(service, { scope: settings.service.scope });

  send({
    issuer: web.serverMetadata().issuer,
    claims,
    userinfo,
    token_type: tokens.token_type,
    refreshed: { rotated: refreshed.refresh_token !== tokens.refresh_token, sub: refreshed.claims()?.sub ?? null },
    introspection: alive,
    after_revocation: {
      refresh: await refusal(client.refreshTokenGrant(web, refreshed.refresh_token)),
      access: await client.tokenIntrospection(web, refreshed.access_token),
    },
    code_replay: replay,
    machine: { scope: machine.scope, has_refresh_token: 'refresh_token' in machine },
    sign_out: client.buildEndSessionUrl(web, { id_token_hint: tokens.id_token }).href,
  });
}

main().then(
  () => process.exit(0),
  (problem) => {
    console.error(problem);
    process.exit(1);
  },
);
