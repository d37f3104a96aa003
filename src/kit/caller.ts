/** Who asks, from where: what the wire learns from a signed request and every action may read. */

/**
 * The identity behind an access key. `arn` and `userId` are what GetCallerIdentity answers.
 * Without `user` and `role` it is the account's root user, or a user that it federated.
 */
export type Principal = {
  account: string
  arn: string
  userId: string
  root?: boolean
  /** The record's id of the user, or of the role that is assumed. */
  user?: string
  role?: string
  /** Of the key that signed; absent where nothing was signed. */
  accessKeyId?: string
  session?: Session
}

/** What makes temporary credentials differ from those of their principal. Times are ISO 8601. */
export type Session = {
  kind: 'session-token' | 'assumed-role' | 'web-identity' | 'federated-user' | 'instance' | 'console'
  name: string
  issued: string
  expires: string
  /** When a device proved the principal's presence. */
  mfa?: string
  /** Session policies: documents, and ARNs of managed ones. They narrow what the principal may. */
  policies?: string[]
  policyArns?: string[]
  tags?: Record<string, string>
  /** Keys of tags that the next role of a chain has too. */
  transitive?: string[]
  sourceIdentity?: string
  /** Who vouched for the caller: an identity provider. */
  provider?: string
  /** The instance whose metadata gave the credentials out: its ARN, its VPC, its primary private address, and the metadata's version. */
  source?: { instance: string; vpc: string; address: string; delivery: Delivery }
}

/** By which version of the metadata service an instance was given its role's credentials. */
export type Delivery = '1.0' | '2.0'

/** How a request to S3 came and was signed, which bucket policies may ask: all absent where nobody signed. */
export type Proof = {
  version?: 'AWS' | 'AWS4-HMAC-SHA256'
  type?: 'REST-HEADER' | 'REST-QUERY-STRING'
  /** Of a link: how long ago it was signed. */
  ageMs?: number
  /** What the request says of its body's hash. */
  payloadHash?: string
  /** '1.3' */
  tls?: string
}

/**
 * The way of a request that came from inside of a VPC: the endpoint's id, VPC and policy, and the private address that asked. Without an
 * endpoint nobody knows any more which one it was: it has just been deleted.
 */
export type Via = { vpc: string; address: string; endpoint?: { id: string; account: string; policy: string } }

/**
 * One call's origin. `region` is the credential scope's; `sourceIp` the peer's address (aws:SourceIp); `secure` whether it came over TLS; `via`
 * the VPC endpoint by which it came.
 */
export type Caller = {
  principal: Principal; region: string; requestId: string; sourceIp: string; userAgent: string; secure?: boolean; via?: Via; proof?: Proof
}
