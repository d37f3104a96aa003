/** What alarms may do: actions on the instance that their metric is of. CloudWatch User Guide,
  "Create alarms to stop, terminate, reboot, or recover". */
import type { Place } from '#kit/action'
import { unsupported, validation, type Metric } from '#service/monitoring/metric'
import type { Tx } from '#store/store'

export type InstanceAction = 'stop' | 'terminate' | 'reboot' | 'recover'
/** What EC2 does for an alarm, in a transaction; throws EC2's refusals. */
export type Automate = (tx: Tx, asked: Place & { instance: string; action: InstanceAction; now: Date }) => Promise<void>

const PERMISSIONS: Record<InstanceAction, string> = {
  stop: 'ec2:StopInstances', terminate: 'ec2:TerminateInstances', reboot: 'ec2:RebootInstances', recover: 'ec2:RecoverInstances',
}

/** Either of the two forms that AWS has; undefined for what is no action on an instance. */
export function actionOf(arn: string): { action: InstanceAction; region: string } | undefined {
  const [, short, plain] = /^arn:aws[\w-]*:automate:([\w-]+):ec2:(stop|terminate|reboot|recover)$/.exec(arn) ?? []
  const [, long,
    word] = /^arn:aws[\w-]*:swf:([\w-]+):\d{12}:action\/actions\/AWS_EC2\.InstanceId\.(Stop|Terminate|Reboot|Recover)\/1\.0$/.exec(arn) ?? []
  const [region, action] = short ? [short, plain] : [long, word?.toLowerCase()]
  return region && action ? { region, action: action as InstanceAction } : undefined
}

export const instanceOf = ({ dimensions }: Pick<Metric, 'dimensions'>): string | undefined => dimensions.find(({ name }) =>
  name === 'InstanceId')?.value

/** Checks an alarm's actions, and tells which permissions they need besides: who may not stop an instance makes no alarm that does. */
export function permissionsOf(
  { region, account }: Place, metric: Pick<Metric, 'name' | 'namespace' | 'dimensions'>, arns: readonly string[],
): { action: string; resource: string }[] {
  return arns.map(arn => {
    if (!/^arn:aws[\w-]*:[\w-]+:[\w-]*:[^:]*:.+/.test(arn)) throw validation(`Invalid arn syntax: ${arn.slice(0, 300)}`)
    const found = actionOf(arn)
    if (!found) throw unsupported(`the alarm action ${arn.slice(0, 300)}: there are those of EC2 alone (stop, terminate, reboot, recover)`)
    if (found.region !== region) throw validation(`Invalid region ${found.region} specified. Only ${region} is supported.`)
    const instance = instanceOf(metric)
    if (instance === undefined) throw validation(`The action ${arn} needs a metric with the dimension InstanceId.`)
    if (found.action === 'recover' && (metric.namespace !== 'AWS/EC2' || metric.name !== 'StatusCheckFailed_System')) {
      throw validation('The recover action can only be used with the metric StatusCheckFailed_System.')
    }
    return { action: PERMISSIONS[found.action], resource: `arn:aws:ec2:${region}:${account}:instance/${instance}` }
  })
}
