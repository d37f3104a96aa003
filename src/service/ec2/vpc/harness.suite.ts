/** The VPC family behind the real pipeline and the real store, for its tests: every answer is checked against its schema. */
import assert from 'node:assert/strict'
import { homeAt } from '#base/home'
import { dispatcher, type Place } from '#kit/action'
import { ApiError } from '#kit/error'
import { noting } from '#kit/provoked.suite'
import { operationsOf, type Input, type Name, type Output, type Shape } from '#kit/schema'
import { actions as dhcpOptions } from '#service/ec2/dhcp-options/actions'
import { actions as egressOnlyGateway } from '#service/ec2/egress-only-gateway/egress-only-gateway'
import { actions as internetGateway } from '#service/ec2/internet-gateway/actions'
import { actions as networkAcl } from '#service/ec2/network-acl/actions'
import { actions as networkInterface } from '#service/ec2/network-interface/actions'
import { createInterface, type NewInterface } from '#service/ec2/network-interface/allocate'
import { actions as natGateway } from '#service/ec2/nat-gateway/actions'
import { actions as peering } from '#service/ec2/vpc-peering/actions'
import type { Context } from '#service/ec2/context'
import { actions as flowLog } from '#service/ec2/flow-log/actions'
import { actions as endpoints } from '#service/ec2/vpc-endpoint/actions'
import { actions as prefixList } from '#service/ec2/prefix-list/actions'
import { actions as routeTable } from '#service/ec2/route-table/actions'
import { actions as securityGroup } from '#service/ec2/security-group/actions'
import { actions as subnet } from '#service/ec2/subnet/actions'
import { actions as vpc } from '#service/ec2/vpc/actions'
import { findDefaultVpc, preparation } from '#service/ec2/vpc/prepare'
import { openSqlite } from '#store/sqlite'
import * as sdk from '@aws-sdk/client-ec2'

type M = typeof sdk
export const operations = operationsOf(sdk)
export const home = homeAt({ dir: '/nowhere', slot: 0 })
export const now = new Date('2026-01-02T03:04:05.000Z')
export const place: Place = { account: '111122223333', region: 'us-east-1' }

/** Fails where an answer has a member that its schema doesn't know. */
function checkShape(shape: Shape, value: unknown, at: string): void {
  if (value === undefined || value === null || value instanceof Date) return
  if (Array.isArray(value)) for (const item of value) checkShape(shape.value!.target, item, `${at}[]`)
  else if (shape.kind === 'struct') {
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue
      const known = shape.byName.get(name)
      assert.ok(known, `${at} has no member ${name}`)
      checkShape(known.target, member, `${at}.${name}`)
    }
  }
}

export function harness({ deliver }: Pick<Context, 'deliver'> = {}) {
  const store = openSqlite(':memory:', () => now)
  const { prepare, prepared } = preparation()
  const dispatch = noting(dispatcher({
    store, clock: () => now, authorise: async () => {},
    services: [{
      id: 'ec2', operations, prepare: { needed: at => !prepared(at), run: prepare, done() {} },
      actions: {
        ...dhcpOptions, ...egressOnlyGateway, ...internetGateway, ...networkAcl, ...networkInterface({ home }), ...routeTable,
        ...securityGroup, ...subnet,
        ...vpc({ home }), ...natGateway({ home }), ...peering, ...prefixList({ home }), ...endpoints({ home }), ...flowLog({ deliver }),
      } as Record<string, never>,
      missing: member => new ApiError('MissingParameter', `The request must contain the parameter ${member}`),
    }],
  }))
  async function call<N extends Name<M>>(operation: N, input: Input<M, N>, at: Place = place): Promise<Output<M, N>> {
    const principal = { account: at.account, arn: `arn:aws:iam::${at.account}:root`, userId: at.account }
    const caller = { principal, region: at.region, requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
    const output = await dispatch({ service: 'ec2', operation, input: input as object, caller })
    checkShape(operations.get(operation)!.output, output, operation)
    return output as Output<M, N>
  }
  /** The error's code and message, for one deep-equal. */
  async function refused<N extends Name<M>>(operation: N, input: Input<M, N>, at?: Place): Promise<[string, string]> {
    try {
      await call(operation, input, at)
    } catch (error) {
      if (error instanceof ApiError) return [error.code, error.message]
      throw error
    }
    assert.fail(`${operation} was not refused`)
  }
  /** An interface in the default VPC's first subnet, as RunInstances makes one. */
  async function launch(more: Partial<NewInterface> = {}) {
    await call('DescribeVpcs', {})
    return store.transact(async tx => {
      const network = (await findDefaultVpc(tx, place))!
      const subnets = (await tx.list({ kind: 'subnet', ...place })) as NewInterface['subnet'][]
      const first = subnets.find(row => row.spec.vpc === network.id && row.spec.zone === 'us-east-1a')!
      return createInterface(tx, { place, now, home, vpc: network, subnet: first, publicIp: true, metadataHopLimit: 2, ...more })
    })
  }
  return { store, call, refused, launch }
}
