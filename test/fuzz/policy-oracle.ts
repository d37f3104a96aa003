/**
 * A second reading of AWS's documented rules, slow and plain, to compare the evaluator with: IAM User Guide, "Policy evaluation logic",
 * "Condition operators", "Multivalued context keys". Nothing of it is shared with the evaluator; it reads the documents anew each time.
 */
export type Document = { Statement: Record<string, any>[] }
export type Asked = {
  action: string; resource: string; keys: Record<string, string[]>; account: string; arn: string; role?: string; foreign: boolean
}
export type Sets = Partial<Record<'identity' | 'resource' | 'boundary' | 'session' | 'endpoint', Document[]>> & { scps?: Document[][] }
type Answer = 'allowed' | 'explicitDeny' | 'implicitDeny'

const like = (pattern: string, text: string, flags = ''): boolean =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`, flags).test(text)
const number = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const inBlock = (block: string, ip: string): boolean => {
  const [base = '', bits = '32'] = block.split('/')
  const size = 2 ** (32 - Number(bits))
  return Math.floor(number(base) / size) === Math.floor(number(ip) / size)
}
const compare: Record<string, (wanted: string, given: string) => boolean> = {
  StringEquals: (wanted, given) => wanted === given, StringEqualsIgnoreCase: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
  StringLike: (wanted, given) => like(wanted, given), NumericLessThan: (wanted, given) => Number(given) < Number(wanted),
  NumericEquals: (wanted, given) => Number(given) === Number(wanted), Bool: (wanted, given) => wanted === given, IpAddress: inBlock,
}
const NEGATED: Record<string, string> = {
  StringNotEquals: 'StringEquals', StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase', StringNotLike: 'StringLike', NotIpAddress: 'IpAddress',
  NumericNotEquals: 'NumericEquals',
}
export const OPERATORS = [...Object.keys(compare), ...Object.keys(NEGATED)]

function holds(operator: string, wanted: string[], given: string[] | undefined): boolean {
  if (operator === 'Null') return wanted.includes(String(given === undefined))
  const [, quantifier, name = '', optional] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(operator)!
  const negated = name in NEGATED
  const same = compare[NEGATED[name] ?? name]!
  const fits = (value: string): boolean => wanted.some(one => same(one, value)) !== negated
  if (given === undefined) return optional !== undefined || quantifier === 'ForAllValues' || (quantifier === undefined && negated)
  if (quantifier === 'ForAllValues') return given.every(fits)
  if (quantifier === 'ForAnyValue') return given.some(fits)
  return negated ? given.every(fits) : given.some(fits)
}

/** 0: it does not speak of the asker; 1: of the account; 2: of the role; 3: of the asker. */
function reachOf(principal: any, { account, arn, role }: Asked): number {
  const names: string[] = principal === '*' ? ['*'] : [principal.AWS].flat()
  return Math.max(...names.map(name => (name === '*' || name === arn ? 3 : name === role ? 2
    : name === account || name === `arn:aws:iam::${account}:root` ? 1 : 0)))
}

function speaks(statement: Record<string, any>, asked: Asked): number {
  const any = (given: unknown, test: (one: string) => boolean) => [given].flat().some(one => test(String(one)))
  const action = any(statement.Action ?? statement.NotAction, one => like(one, asked.action, 'i'))
  if (action !== 'Action' in statement) return 0
  const resource = any(statement.Resource ?? statement.NotResource, one => like(one, asked.resource))
  if (resource !== 'Resource' in statement) return 0
  for (const [operator, lines] of Object.entries(statement.Condition ?? {})) {
    for (const [key, wanted] of Object.entries(lines as object)) {
      if (!holds(operator, [wanted].flat() as string[], asked.keys[key.toLowerCase()])) return 0
    }
  }
  if ('Principal' in statement) return reachOf(statement.Principal, asked)
  return 'NotPrincipal' in statement ? (reachOf(statement.NotPrincipal, asked) > 0 ? 0 : 3) : 3
}

export function decide({ identity = [], resource, boundary, session, endpoint, scps = [] }: Sets, asked: Asked): Answer {
  const best = (documents: Document[], effect: string): number =>
    Math.max(0, ...documents.flatMap(one => one.Statement).filter(one => one.Effect === effect).map(one => speaks(one, asked)))
  const every = [identity, resource ?? [], boundary ?? [], session ?? [], endpoint ?? [], ...scps].flat()
  if (best(every, 'Deny') > 0) return 'explicitDeny'
  if (scps.some(level => best(level, 'Allow') === 0)) return 'implicitDeny'
  if (endpoint !== undefined && best(endpoint, 'Allow') === 0) return 'implicitDeny'
  const shared = best(resource ?? [], 'Allow')
  const bounded = (boundary !== undefined && best(boundary, 'Allow') === 0) || (session !== undefined && best(session, 'Allow') === 0)
  if (!asked.foreign && shared === 3) return 'allowed'
  if (!asked.foreign && shared === 2) return bounded ? 'implicitDeny' : 'allowed'
  if (best(identity, 'Allow') === 0 || bounded) return 'implicitDeny'
  return asked.foreign && shared === 0 ? 'implicitDeny' : 'allowed'
}
