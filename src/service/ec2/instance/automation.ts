/** What a CloudWatch alarm does with an instance: what its owner could ask, by the same rules, as intent that the loop makes so. */
import type { Action, Place } from '#kit/action'
import type { Context } from '#service/ec2/context'
import { lifecycle } from '#service/ec2/instance/lifecycle'
import type { Tx } from '#store/store'

/** To recover is to boot anew where it is: there is no other host. */
const OPERATIONS = { stop: 'StopInstances', terminate: 'TerminateInstances', reboot: 'RebootInstances', recover: 'RebootInstances' } as const

export function automation(context: Context) {
  const actions = lifecycle(context) as Record<string, Action<object, object>>
  return async (tx: Tx, asked: Place & { instance: string; action: keyof typeof OPERATIONS; now: Date }): Promise<void> => {
    const { instance, action, ...call } = asked
    const principal = { account: call.account, arn: `arn:aws:iam::${call.account}:root`, userId: call.account }
    await actions[OPERATIONS[action]]!({
      ...call, tx, input: { InstanceIds: [instance] }, tags: () => ({}), permit: async () => {},
      caller: { principal, region: call.region, requestId: '', sourceIp: '', userAgent: 'cloudwatch.amazonaws.com' },
    })
  }
}
