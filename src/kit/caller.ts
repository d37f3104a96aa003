/** Who calls, from where, about which region. Wire finds it out; policy and audit read it. */
export type Principal = {
  account: string
  arn: string
  userId: string
  /** The account's root user. */
  root?: boolean
}
export type Caller = { principal: Principal; region: string; requestId: string; sourceIp: string; userAgent: string }
