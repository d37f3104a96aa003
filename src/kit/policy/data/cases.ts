/**
 * What policies mean, case by case, from AWS's documented rules (IAM User Guide: "Policy evaluation logic", "Condition operators",
 * "Multivalued context keys", "Policy variables", "Resource", "Principal"). Data; cases.test.ts asks each.
 */

/** Operator, values of the policy, values of the request (undefined: the key is absent), whether it holds. */
export type ConditionCase = [operator: string, wanted: string | string[], given: string[] | undefined, holds: boolean]
const T = true
const F = false

const negations = (positive: string, negative: string, cases: [string | string[], string, boolean][]): ConditionCase[] => [
  ...cases.flatMap(([wanted, given, same]): ConditionCase[] => [[positive, wanted, [given], same], [negative, wanted, [given], !same]]),
  [positive, 'x', undefined, F], [negative, 'x', undefined, T],
  [`${positive}IfExists`, 'x', undefined, T], [`${negative}IfExists`, 'x', undefined, T],
]
const order = (type: string, [low, same, high]: [string, string, string], wrong: string): ConditionCase[] => [
  ...negations(`${type}Equals`, `${type}NotEquals`, [[same, same, T], [same, low, F], [same, high, F], [[low, same], low, T], [same, wrong, F]]),
  ...([['LessThan', T, F, F], ['LessThanEquals', T, T, F], ['GreaterThan', F, F, T], ['GreaterThanEquals', F, T, T]] as const)
    .flatMap(([suffix, a, b, c]): ConditionCase[] => [
      [type + suffix, same, [low], a], [type + suffix, same, [same], b], [type + suffix, same, [high], c], [type + suffix, same, [wrong], F],
      [type + suffix, wrong, [same], F], [type + suffix, same, undefined, F], [`${type}${suffix}IfExists`, same, undefined, T],
      [`${type}${suffix}IfExists`, same, [low], a],
    ]),
]
const ROLE = 'arn:aws:iam::111122223333:role/app'

export const conditions: ConditionCase[] = [
  ...negations('StringEquals', 'StringNotEquals', [
    ['a', 'a', T], ['a', 'A', F], ['a', 'ab', F], ['a*', 'ab', F], ['a*', 'a*', T], [['a', 'b'], 'b', T], [['a', 'b'], 'c', F], ['', '', T], ['a', '', F],
    ['ü', 'ü', T],
  ]),
  ...negations('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', [['a', 'A', T], ['Ab', 'aB', T], ['a', 'b', F], ['a*', 'AB', F]]),
  ...negations('StringLike', 'StringNotLike', [
    ['a*', 'ab', T], ['a*', 'a', T], ['a*', 'ba', F], ['*a', 'ba', T], ['*a*', 'bab', T], ['a?c', 'abc', T], ['a?c', 'ac', F], ['?', 'a', T], ['?', '', F],
    ['*', '', T], ['*', 'a\nb', T], ['A*', 'ab', F], ['a**b', 'ab', T], ['a*b*c', 'aXbYc', T], ['a*b*c', 'aXcYb', F], [['x', 'a*'], 'ab', T], ['a.c', 'abc', F],
    ['[ab]', 'a', F], ['a:*:c', 'a:b:b:c', T],
  ]),
  ...order('Numeric', ['1', '2', '10'], 'two'),
  ['NumericEquals', '2.0', ['2'], T], ['NumericEquals', '1e1', ['10'], T], ['NumericLessThan', '10', ['-5'], T], ['NumericEquals', '', ['0'], F],
  ...order('Date', ['2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z', '2027-01-01T00:00:00Z'], 'tomorrow'),
  ['DateEquals', '1780272000', ['2026-06-01T00:00:00Z'], T], ['DateLessThan', '2026-06-01', ['2026-05-31T23:59:59Z'], T],
  ['DateGreaterThan', '2026-06-01T02:00:00+02:00', ['2026-06-01T00:00:01Z'], T],
  ['Bool', 'true', ['true'], T], ['Bool', 'true', ['false'], F], ['Bool', 'false', ['false'], T], ['Bool', 'True', ['true'], T], ['Bool', 'true', undefined, F],
  ['BoolIfExists', 'true', undefined, T], ['BoolIfExists', 'false', ['true'], F], ['Bool', ['true', 'false'], ['false'], T],
  ['BinaryEquals', 'QmluYXJ5', ['QmluYXJ5'], T], ['BinaryEquals', 'QmluYXJ5', ['qmluyxj5'], F], ['BinaryEqualsIfExists', 'QQ==', undefined, T],
  ...negations('IpAddress', 'NotIpAddress', [
    ['203.0.113.0/24', '203.0.113.5', T], ['203.0.113.0/24', '203.0.114.5', F], ['203.0.113.5', '203.0.113.5', T], ['203.0.113.5/32', '203.0.113.6', F],
    ['0.0.0.0/0', '198.51.100.1', T], [['10.0.0.0/8', '192.0.2.0/24'], '192.0.2.9', T], ['2001:db8::/32', '2001:db8:1::1', T],
    ['2001:db8::/32', '2001:db9::1', F], ['2001:db8::/32', '203.0.113.5', F], ['0.0.0.0/0', '2001:db8::1', F], ['203.0.113.0/33', '203.0.113.5', F],
    ['203.0.113.0/24', 'nowhere', F],
  ]),
  ...(['Equals', 'Like'] as const).flatMap(suffix => negations(`Arn${suffix}`, `ArnNot${suffix}`, [
    [ROLE, ROLE, T], ['arn:aws:iam::111122223333:role/*', ROLE, T], ['arn:aws:iam::*:role/app', ROLE, T], ['arn:aws:iam::111122223333:user/*', ROLE, F],
    ['arn:*:iam::111122223333:role/app', ROLE, T], ['arn:aws:*', ROLE, F], ['arn:aws:iam::11112222333?:role/app', ROLE, T],
    ['arn:aws:sns:us-east-1:*:a:b', 'arn:aws:sns:us-east-1:1:a:b', T], ['arn:aws:sns:*:a', 'arn:aws:sns:us-east-1:1:a', F], ['*', ROLE, F],
    ['arn:aws:iam::*:role/app', 'role/app', F],
  ])),
  ['Null', 'true', undefined, T], ['Null', 'true', ['a'], F], ['Null', 'false', undefined, F], ['Null', 'false', ['a'], T], ['Null', ['true', 'false'], ['a'], T],
  ['stringequals', 'a', ['a'], T], ['STRINGLIKE', 'a*', ['ab'], T],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a'], T], ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], T],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], F], ['ForAllValues:StringEquals', ['a', 'b'], [], T], ['ForAllValues:StringEquals', 'a', undefined, T],
  ['ForAllValues:StringLike', 'a*', ['ab', 'ac'], T], ['ForAllValues:StringLike', 'a*', ['ab', 'b'], F],
  ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'd'], T], ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'a'], F],
  ['ForAllValues:StringNotEquals', 'a', undefined, T], ['ForAllValues:StringEqualsIgnoreCase', ['a'], ['A', 'a'], T],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], T], ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'd'], F],
  ['ForAnyValue:StringEquals', 'a', [], F], ['ForAnyValue:StringEquals', 'a', undefined, F], ['ForAnyValue:StringEqualsIfExists', 'a', undefined, T],
  ['ForAnyValue:StringNotEquals', 'a', ['a', 'b'], T], ['ForAnyValue:StringNotEquals', 'a', ['a'], F], ['ForAnyValue:StringNotEquals', 'a', undefined, F],
  ['ForAllValues:NumericLessThan', '10', ['1', '9'], T], ['ForAllValues:NumericLessThan', '10', ['1', '11'], F],
  ['ForAnyValue:IpAddress', '10.0.0.0/8', ['192.0.2.1', '10.1.2.3'], T], ['ForAnyValue:ArnLike', 'arn:aws:iam::*:role/*', [ROLE], T],
  ['ForAllValues:ArnNotLike', 'arn:aws:iam::*:user/*', [ROLE], T], ['ForAllValues:Bool', 'true', ['true', 'false'], F],
  ['StringEquals', ['a', 'b'], ['c', 'a'], T], ['StringNotEquals', 'a', ['b', 'a'], F], ['StringNotEquals', 'a', ['b', 'c'], T],
  // Variables: the key `who` is "ada", `star` is "*", `two` has two values.
  ['StringEquals', '${test:who}', ['ada'], T], ['StringEquals', '${TEST:WHO}', ['ada'], T], ['StringLike', 'home/${test:who}/*', ['home/ada/x'], T],
  ['StringLike', 'home/${test:who}/*', ['home/bob/x'], F], ['StringLike', '${test:star}', ['anything'], F], ['StringLike', '${test:star}', ['*'], T],
  ['StringEquals', '${test:none}', [''], F], ['StringEquals', "${test:none, 'x'}", ['x'], T], ['StringEquals', "${test:who, 'x'}", ['ada'], T],
  ['StringEquals', '${test:two}', ['a'], F], ['StringNotEquals', '${test:none}', ['a'], T], ['StringLike', 'a${*}', ['a*'], T], ['StringLike', 'a${*}', ['ab'], F],
  ['StringLike', 'a${?}', ['a?'], T], ['StringLike', '${$}{a}', ['${a}'], T], ['ArnLike', 'arn:aws:iam::*:user/${test:who}', ['arn:aws:iam::1:user/ada'], T],
  ['ArnLike', 'arn:aws:iam::*:user/${test:who}', ['arn:aws:iam::1:user/bob'], F], ['StringEqualsIgnoreCase', '${test:who}', ['ADA'], T],
  ['StringEquals', '$', ['$'], T], ['StringEquals', '${', ['${'], T],
]

/** Resource element and ARN, whether it matches. */
export const resources: [resource: string, arn: string, matches: boolean][] = [
  ['*', 'arn:aws:s3:::b', T], ['*', '*', T], ['arn:aws:s3:::b', 'arn:aws:s3:::b', T], ['arn:aws:s3:::b', 'arn:aws:s3:::B', F],
  ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/k', T], ['arn:aws:s3:::b/*', 'arn:aws:s3:::b', F], ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/a:b:c', T],
  ['arn:aws:s3:::b*', 'arn:aws:s3:::b/k', T], ['arn:aws:s3:::*/k', 'arn:aws:s3:::b/c/k', T], ['arn:aws:s3:::b/?', 'arn:aws:s3:::b/ab', F],
  ['arn:aws:ec2:*:*:instance/*', 'arn:aws:ec2:us-east-1:111122223333:instance/i-1', T], ['arn:aws:ec2:*:*:instance/*', 'arn:aws:ec2:us-east-1:1:volume/v', F],
  ['arn:aws:ec2:us-*-1:*:instance/*', 'arn:aws:ec2:us-east-1:1:instance/i', T], ['arn:aws:ec2:us-*-2:*:instance/*', 'arn:aws:ec2:us-east-1:1:instance/i', F],
  ['arn:aws:ec2:u*1:*:instance/*', 'arn:aws:ec2:us-east-1:1:instance/i', T], ['arn:aws:ec2:*', 'arn:aws:ec2:us-east-1:1:instance/i', T],
  ['arn:aws:ec2:*:instance/*', 'arn:aws:ec2:us-east-1:1:instance/i', T], ['arn:aws:ec*2:us-east-1:1:x', 'arn:aws:ec:us:2:us-east-1:1:x', F],
  ['arn:*:s3:::b', 'arn:aws-cn:s3:::b', T], ['arn:aws:iam::*:user/${test:who}', 'arn:aws:iam::1:user/ada', T],
  ['arn:aws:iam::*:user/${test:who}', 'arn:aws:iam::1:user/bob', F], ['arn:aws:s3:::b/${test:star}', 'arn:aws:s3:::b/k', F],
  ['arn:aws:s3:::b/${test:star}', 'arn:aws:s3:::b/*', T], ['arn:aws:s3:::b/${test:none}/*', 'arn:aws:s3:::b//k', F],
  ["arn:aws:s3:::b/${test:none, 'all'}/*", 'arn:aws:s3:::b/all/k', T], ['arn:aws:s3:::b/${*}', 'arn:aws:s3:::b/k', F], ['arn:aws:s3:::b/${*}', 'arn:aws:s3:::b/*', T],
  ['arn:aws:s3:::b/a*a*a*a*a*a*a*a*z', `arn:aws:s3:::b/${'a'.repeat(500)}`, F],
]

/** Action element and action, whether it matches. */
export const actions: [element: string, action: string, matches: boolean][] = [
  ['*', 'ec2:RunInstances', T], ['ec2:*', 'ec2:RunInstances', T], ['EC2:runinstances', 'ec2:RunInstances', T], ['ec2:Run*', 'ec2:RunInstances', T],
  ['ec2:*Instances', 'ec2:RunInstances', T], ['ec2:Describe*', 'ec2:RunInstances', F], ['s3:*', 'ec2:RunInstances', F], ['ec2:RunInstance?', 'ec2:RunInstances', T],
  ['ec2:RunInstances?', 'ec2:RunInstances', F], ['ec2:?un*', 'ec2:RunInstances', T], ['s3:GetObject', 's3:GetObjectVersion', F], ['s3:GetObject*', 's3:GetObjectVersion', T],
]

/** A text that is no identity policy, and the words that say why. */
export const malformed: [text: string, words: RegExp][] = [
  ['', /invalid Json/], ['{', /invalid Json/], ['null', /Syntax/], ['[]', /Syntax/], ['"x"', /Syntax/], ['{}', /Syntax/],
  ['{"Statement":[]}', /Syntax/], ['{"Version":"2013-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', /version/],
  ['{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}', /effect/], ['{"Statement":{"Action":"*","Resource":"*"}}', /effect/],
  ['{"Statement":{"Effect":"Allow","Resource":"*"}}', /actions/], ['{"Statement":{"Effect":"Allow","Action":"*"}}', /resources/],
  ['{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}', /actions/], ['{"Statement":{"Effect":"Allow","Action":"*","Resource":[]}}', /resources/],
  ['{"Statement":{"Effect":"Allow","Action":"run","Resource":"*"}}', /vendor/], ['{"Statement":{"Effect":"Allow","Action":"a:b:c","Resource":"*"}}', /colon/],
  ['{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}}', /both Action/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}}', /both Resource/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"bucket"}}', /ARN/], ['{"Statement":{"Effect":"Allow","Action":5,"Resource":"*"}}', /Syntax/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}', /principal/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Extra":1}}', /Syntax/], ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"},"x":1}', /Syntax/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":[]}}', /Syntax/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Same":{"a":"b"}}}}', /Condition type/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a":{}}}}}', /Syntax/],
  ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:Null":{"a":"true"}}}}', /Condition type/],
  ['{"Statement":{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}}', /alpha/],
  ['{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]}', /unique/],
]

/** Principal element and how far it reaches user ada of account 1…, a session of role app there, and user eve of account 9…. */
export const principals: [principal: unknown, ada: string | undefined, app: string | undefined, eve: string | undefined][] = [
  ['*', 'itself', 'itself', 'itself'], [{ AWS: '*' }, 'itself', 'itself', 'itself'], [{ AWS: '111111111111' }, 'account', 'account', undefined],
  [{ AWS: 'arn:aws:iam::111111111111:root' }, 'account', 'account', undefined], [{ AWS: 'arn:aws:iam::111111111111:user/ada' }, 'itself', undefined, undefined],
  [{ AWS: 'arn:aws:iam::111111111111:role/app' }, undefined, 'role', undefined],
  [{ AWS: 'arn:aws:sts::111111111111:assumed-role/app/s' }, undefined, 'itself', undefined],
  [{ AWS: ['111111111111', 'arn:aws:iam::111111111111:user/ada'] }, 'itself', 'account', undefined], [{ AWS: ['111111111111', '999999999999'] }, 'account', 'account', 'account'],
  [{ Service: 'ec2.amazonaws.com' }, undefined, undefined, undefined], [{ Service: 'ec2.amazonaws.com', AWS: '999999999999' }, undefined, undefined, 'account'],
  [{ Federated: 'arn:aws:iam::111111111111:oidc-provider/x' }, undefined, undefined, undefined], [{ CanonicalUser: 'abc' }, undefined, undefined, undefined],
]
