/** What a bucket's CORS rules tell browsers: the answer to a preflight, and headers on every other answer (S3 User Guide, "Using CORS"). */
import type { CORSRule } from '@aws-sdk/client-s3'

export type Crossing = { origin: string; method: string; headers: string[] }

function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === text
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
}

/** The first rule that lets a request through. */
export function ruleFor(rules: readonly CORSRule[], { origin, method, headers }: Crossing): CORSRule | undefined {
  return rules.find(({ AllowedOrigins = [], AllowedMethods = [], AllowedHeaders = [] }) => AllowedOrigins.some(pattern => fits(pattern, origin))
    && AllowedMethods.includes(method)
    && headers.every(name => AllowedHeaders.some(pattern => fits(pattern.toLowerCase(), name.toLowerCase()))))
}

export function headersOf(rule: CORSRule, { origin, headers }: Crossing): Record<string, string> {
  const any = rule.AllowedOrigins!.includes('*')
  return {
    'access-control-allow-origin': any ? '*' : origin, 'access-control-allow-methods': rule.AllowedMethods!.join(', '),
    ...(any ? {} : { 'access-control-allow-credentials': 'true' }),
    ...(headers.length > 0 ? { 'access-control-allow-headers': headers.join(', ') } : {}),
    ...(rule.ExposeHeaders?.length ? { 'access-control-expose-headers': rule.ExposeHeaders.join(', ') } : {}),
    ...(rule.MaxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(rule.MaxAgeSeconds) }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  }
}
