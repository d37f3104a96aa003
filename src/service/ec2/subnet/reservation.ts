/**
 * A subnet's CIDR reservation: a block from which no address is chosen by itself (VPC User Guide, "Subnet CIDR reservations").
 *
 * Invariant: reservations of a subnet don't overlap. Who names an address in one gets it, as AWS means `explicit` reservations; blocks of the
 * type `prefix` are kept for prefixes, which no interface can have here.
 */
import { formatCidr, overlaps, parseCidr, within } from '#base/cidr'
import type { Actions } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { resource, tagList } from '#kit/resource'
import { invalidValue, missingParameter } from '#service/ec2/errors'
import { subnet } from '#service/ec2/subnet/subnet'
import { readCidr } from '#service/ec2/vpc/cidr'
import type { Reader, Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Spec = { subnet: string; cidr: string; type: 'prefix' | 'explicit'; description?: string }
export type ReservationRow = Row<Spec, Record<string, never>>

export const reservation = resource<Spec, Record<string, never>, sdk.SubnetCidrReservation>({
  kind: 'subnet-cidr-reservation', prefix: 'scr', label: 'subnet CIDR reservation ID',
  missing: 'InvalidSubnetCidrReservationID.NotFound', malformed: 'InvalidSubnetCidrReservationID.Malformed',
  view: ({ id, account, spec, tags }) => ({
    SubnetCidrReservationId: id, SubnetId: spec.subnet, Cidr: spec.cidr, ReservationType: spec.type, OwnerId: account,
    Description: spec.description, Tags: tagList(tags),
  }),
  filters: { reservationType: 'ReservationType', 'subnet-id': 'SubnetId' },
})

/** The blocks of a subnet that addresses are not chosen from. */
export async function reservedIn(reader: Reader, at: { id: string; account: string; region: string }): Promise<string[]> {
  return (await reservation.list(reader, at)).filter(row => row.spec.subnet === at.id).map(row => row.spec.cidr)
}

export const reservationActions: Actions<typeof sdk> = {
  async CreateSubnetCidrReservation({ input, account, region, tx, now, tags }) {
    const at = await subnet.get(tx, { account, region }, input.SubnetId!)
    const { ReservationType: type, Description: description } = input
    if (type === undefined) throw missingParameter('ReservationType')
    if (type !== 'prefix' && type !== 'explicit') throw invalidValue('reservationType', type)
    const cidr = readCidr('cidr', input.Cidr!)
    const text = formatCidr(cidr)
    if (!within(parseCidr(at.spec.cidr)!, cidr)) throw invalidValue('cidr', text, `It is not within the subnet's block ${at.spec.cidr}.`)
    const taken = (await reservedIn(tx, at)).find(other => overlaps(parseCidr(other)!, cidr))
    if (taken !== undefined) {
      throw new ApiError('InvalidParameterValue', `The CIDR block ${text} conflicts with the reservation of ${taken} in the subnet.`)
    }
    const row = await tx.put(reservation.make({
      account, region, now, tags: tags('subnet-cidr-reservation'), status: {},
      spec: { subnet: at.id, cidr: text, type, ...(description ? { description } : {}) },
    }), 'created')
    return { SubnetCidrReservation: await reservation.viewOne(tx, row) }
  },

  async GetSubnetCidrReservations(call) {
    const at = await subnet.get(call.tx, call, call.input.SubnetId!)
    const rows = (await reservation.list(call.tx, call)).filter(row => row.spec.subnet === at.id)
    const { hits, next } = await select(call, reservation, { ids: undefined, rows })
    return { SubnetIpv4CidrReservations: hits.map(hit => hit.view), SubnetIpv6CidrReservations: [], NextToken: next }
  },

  async DeleteSubnetCidrReservation({ input, account, region, tx }) {
    const row = await reservation.get(tx, { account, region }, input.SubnetCidrReservationId!)
    await tx.remove(row, 'deleted')
    return { DeletedSubnetCidrReservation: await reservation.viewOne(tx, row) }
  },
}
