// The peer: the JavaScript oidc-provider with all state in its memory, no database and no password hash.
// It does less than we do, which makes it the bar. It gets what it needs from the environment.
import http from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

const { PORT, WEB_SECRET, SERVICE_SECRET, REDIRECT_URI, LOGIN, PASSWORD } = process.env;

// The library's own memory adapter forgets all but the latest 1000 entries; this one keeps everything.
const entries = new Map();
const byGrant = new Map();
const sessionOfUid = new Map();

class Memory {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    entries.set(this.key(id), { payload, expires: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    if (this.model === 'Session') sessionOfUid.set(payload.uid, id);
    if (payload.grantId && this.model !== 'Grant' && this.model !== 'Session') {
      if (!byGrant.has(payload.grantId)) byGrant.set(payload.grantId, new Set());
      byGrant.get(payload.grantId).add(this.key(id));
    }
  }

  async find(id) {
    const entry = entries.get(this.key(id));
    return entry && entry.expires > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid) {
    return this.find(sessionOfUid.get(uid));
  }

  async findByUserCode() {
    return undefined;
  }

  async destroy(id) {
    entries.delete(this.key(id));
  }

  async consume(id) {
    const entry = entries.get(this.key(id));
    if (entry) entry.payload.consumed = Math.floor(Date.now() / 1000);
  }

  async revokeByGrantId(grantId) {
    for (const key of byGrant.get(grantId) ?? []) entries.delete(key);
    byGrant.delete(grantId);
  }
}

// ES256, as our realms have it by default.
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signingKey = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'peer' };

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  adapter: Memory,
  jwks: { keys: [signingKey] },
  clients: [
    {
      client_id: 'bench-web',
      client_secret: WEB_SECRET,
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    },
    {
      client_id: 'bench-service',
      client_secret: SERVICE_SECRET,
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  cookies: { keys: [randomBytes(32).toString('hex')] },
  scopes: ['openid', 'profile', 'email', 'offline_access', 'bench.read'],
  claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  pkce: { required: () => true },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@example.com`, name: id }),
  }),
  // The client is the operator's own, as in our realm: no consent page.
  loadExistingGrant: async ({ oidc }) => {
    const known = oidc.session.grantIdFor(oidc.client.clientId);
    if (known) return oidc.provider.Grant.find(known);
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid profile email offline_access');
    await grant.save();
    return grant;
  },
});
provider.on('server_error', (_context, problem) => console.error(problem));

async function signIn(request, response) {
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response);
    response.setHeader('content-type', 'text/html');
    response.end('<form method="post"><input name="login"><input name="password" type="password"></form>');
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  if (form.get('login') !== LOGIN || form.get('password') !== PASSWORD) {
    response.statusCode = 401;
    response.end();
    return;
  }
  await provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
}

const answer = provider.callback();
http
  .createServer(async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    try {
      return await signIn(request, response);
    } catch (problem) {
      response.statusCode = 500;
      return response.end(String(problem));
    }
  })
  .listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
