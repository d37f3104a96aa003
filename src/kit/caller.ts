/** Who asks, from where: what the wire learns from a signed request and every action may read. */

/** The identity behind an access key. `arn` and `userId` are what GetCallerIdentity answers. */
export type Principal = { account: string; arn: string; userId: string; root?: boolean }

/** One call's origin. `region` is the credential scope's; `sourceIp` the peer's address (aws:SourceIp). */
export type Caller = { principal: Principal; region: string; requestId: string; sourceIp: string; userAgent: string }
