/**
 * Service-linked roles: made for a service, which alone may assume them (IAM User Guide, "Service-linked roles").
 * They have no policies here: the services act inside this process and need no permission of the account's.
 */
import { randomUUID } from 'node:crypto'
import { roles } from '#identity/records'
import { gone, invalidInput, type IamActions } from '#service/iam/common'
import { getRole, roleView } from '#service/iam/roles'

/** Service to its role's name (Service Authorization Reference and each service's guide). */
const NAMES: Record<string, string> = {
  'autoscaling.amazonaws.com': 'AWSServiceRoleForAutoScaling', 'spot.amazonaws.com': 'AWSServiceRoleForEC2Spot',
  'spotfleet.amazonaws.com': 'AWSServiceRoleForEC2SpotFleet', 'elasticloadbalancing.amazonaws.com': 'AWSServiceRoleForElasticLoadBalancing',
  'ssm.amazonaws.com': 'AWSServiceRoleForAmazonSSM', 'ec2-instance-connect.amazonaws.com': 'AWSServiceRoleForEc2InstanceConnect',
  'transitgateway.amazonaws.com': 'AWSServiceRoleForVPCTransitGateway', 'ec2fleet.amazonaws.com': 'AWSServiceRoleForEC2Fleet',
}
/** Services that make several roles, told apart by a suffix. */
const SUFFIXED = ['autoscaling.amazonaws.com']
const TASK = /^task\/aws-service-role\/([^/]+)\/([^/]+)\/[0-9a-f-]{36}$/

export const linkedActions: IamActions = {
  async CreateServiceLinkedRole({ tx, input, account, now }) {
    const service = input.AWSServiceName!
    const base = Object.hasOwn(NAMES, service) ? NAMES[service] : undefined
    if (base === undefined) throw invalidInput(`Enclume knows no service-linked role of ${service}.`)
    const suffix = input.CustomSuffix
    if (suffix !== undefined && !SUFFIXED.includes(service)) throw invalidInput(`Custom suffix is not allowed for ${service}`)
    const name = suffix === undefined ? base : `${base}_${suffix}`
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) throw invalidInput(`Invalid custom suffix: ${suffix}`)
    const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service },
      Action: 'sts:AssumeRole' }] })
    const spec = { name, path: `/aws-service-role/${service}/`, trust, longestS: 3600, inline: {}, attached: [], linked: service,
      description: input.Description }
    const row = await roles.create(tx, { account }, { spec, now })
    if (!row) throw invalidInput(`Service role name ${name} has been taken in this account, please try a different suffix.`)
    return { Role: roleView(row) }
  },
  async DeleteServiceLinkedRole({ tx, input, account }) {
    const row = await getRole(tx, account, input.RoleName!)
    if (!row.spec.linked) throw invalidInput(`Role ${row.spec.name} is not a service-linked role.`)
    await tx.remove(row, 'deleted')
    return { DeletionTaskId: `task/aws-service-role/${row.spec.linked}/${row.spec.name}/${randomUUID()}` }
  },
  async GetServiceLinkedRoleDeletionStatus({ tx, input, account }) {
    const [, , name] = TASK.exec(input.DeletionTaskId!) ?? []
    // A deletion is whole when it is answered, so that a task is known by its role being gone.
    if (name === undefined || await roles.byName(tx, account, name)) throw gone(`The deletion task ${input.DeletionTaskId} cannot be found.`)
    return { Status: 'SUCCEEDED' as const }
  },
}
