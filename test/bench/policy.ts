/**
 * What asking policies costs: `node test/bench/policy.ts`. Five policies of three statements, as a user of a company has them; the bound is
 * 50 microseconds, the reference the plain second reading of AWS's rules that the evaluator is compared with (test/fuzz/policy-oracle.ts), which
 * must answer the same. Then what RunInstances asks: deriving it from the request.
 *
 * Figures are the best of many rounds, so that a busy machine disturbs them least.
 */
import { checksOf } from '#identity/access/derive'
import { parsePolicy } from '#kit/policy/document'
import { evaluate } from '#kit/policy/evaluate'
import { decide, type Document } from '../fuzz/policy-oracle.ts'

const BOUND_US = 50
const statement = (Action: string | string[], Resource: string, Condition: object, Effect = 'Allow') => ({ Effect, Action, Resource, Condition })
const documents: Document[] = Array.from({ length: 5 }, (_, i) => ({
  Version: '2012-10-17',
  Statement: [
    statement(['ec2:Describe*', 's3:List*', 's3:Get*'], '*', { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '127.0.0.0/8'] } }),
    statement(['ec2:RunInstances', 'ec2:StartInstances'], `arn:aws:ec2:*:111122223333:instance/*`, {
      StringEquals: { 'ec2:InstanceType': ['t3.micro', `t3.${i}`], 'aws:PrincipalTag/team': '${aws:RequestTag/team}' },
    }),
    statement(['ec2:*', 's3:*'], `arn:aws:*:*:*:secret-${i}/\${aws:username}/*`, { Bool: { 'aws:MultiFactorAuthPresent': 'false' } }, 'Deny'),
  ],
}))
const policies = documents.map((one, i) => parsePolicy(JSON.stringify(one), { kind: 'identity', name: `p${i}` }))
const keys = new Map([
  ['aws:sourceip', ['127.0.0.1']], ['ec2:instancetype', ['t3.micro']], ['aws:principaltag/team', ['red']], ['aws:requesttag/team', ['red']],
  ['aws:username', ['ada']], ['aws:multifactorauthpresent', ['false']],
])
const asker = { account: '111122223333', arn: 'arn:aws:iam::111122223333:user/ada' }
const question = { action: 'ec2:RunInstances', resource: 'arn:aws:ec2:us-east-1:111122223333:instance/*', keys, asker }

/** Microseconds a call takes in the best round. */
function best(run: () => unknown, { rounds, calls }: { rounds: number; calls: number }): number {
  let least = Infinity
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    for (let j = 0; j < calls; j++) run()
    least = Math.min(least, (performance.now() - started) * 1000 / calls)
  }
  return least
}

/** The reference knows no variables in policies: they are filled in for it. */
const plain = JSON.parse(JSON.stringify(documents).replaceAll('${aws:RequestTag/team}', 'red').replaceAll('${aws:username}', 'ada')) as Document[]
const asked = { ...question, ...asker, keys: Object.fromEntries(keys), foreign: false }
for (const decision of [evaluate({ identity: policies }, question).decision, decide({ identity: plain }, asked)])
  if (decision !== 'allowed') throw new Error('the request should be allowed')
const one = best(() => evaluate({ identity: policies }, question), { rounds: 20, calls: 2000 })
const reference = best(() => decide({ identity: plain }, asked), { rounds: 20, calls: 500 })
console.log(`five policies of three statements: ${one.toFixed(1)} us (bound ${BOUND_US} us); a plain reading of them ${reference.toFixed(1)} us; `
  + `ratio ${(one / reference).toFixed(2)}`)
const input = { ImageId: 'ami-1', InstanceType: 't3.micro', SubnetId: 'subnet-1', SecurityGroupIds: ['sg-1'], KeyName: 'k' }
const place = { account: '111122223333', region: 'us-east-1' }
const derive = best(() => checksOf('ec2', 'RunInstances', { input, place }), { rounds: 20, calls: 200 })
console.log(`what RunInstances asks, ${checksOf('ec2', 'RunInstances', { input, place }).length} resources: ${derive.toFixed(0)} us to derive`)
const describe = best(() => checksOf('ec2', 'DescribeInstances', { input: {}, place }), { rounds: 20, calls: 2000 })
console.log(`what DescribeInstances asks: ${describe.toFixed(1)} us to derive`)
if (one > BOUND_US) process.exit(1)
