import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness } from '#service/ec2/vpc/harness.suite'

async function open() {
  const h = harness()
  const { Vpc } = await h.call('CreateVpc', { CidrBlock: '10.0.0.0/16' })
  const { Subnet } = await h.call('CreateSubnet', { VpcId: Vpc!.VpcId, CidrBlock: '10.0.1.0/28' })
  const SubnetId = Subnet!.SubnetId!
  const next = async (PrivateIpAddress?: string) =>
    (await h.call('CreateNetworkInterface', { SubnetId, PrivateIpAddress })).NetworkInterface!.PrivateIpAddress
  return { ...h, SubnetId, next, reserve: { SubnetId, Cidr: '10.0.1.4/30', ReservationType: 'explicit' as const } }
}

test('no address is chosen from a reserved block, but one may be named, until the reservation goes', async () => {
  const { call, refused, SubnetId, next, reserve } = await open()
  const { SubnetCidrReservation } = await call('CreateSubnetCidrReservation', { ...reserve, Description: 'servers' })
  const { SubnetCidrReservationId } = SubnetCidrReservation!
  assert.deepEqual([await next(), await next('10.0.1.5')], ['10.0.1.8', '10.0.1.5'])
  const { SubnetIpv4CidrReservations } = await call('GetSubnetCidrReservations', {
    SubnetId, Filters: [{ Name: 'reservationType', Values: ['explicit'] }],
  })
  assert.deepEqual(SubnetIpv4CidrReservations!.map(r => [r.Cidr, r.Description]), [['10.0.1.4/30', 'servers']])
  await call('CreateSubnetCidrReservation', { ...reserve, Cidr: '10.0.1.8/29', ReservationType: 'prefix' })
  assert.equal((await refused('CreateNetworkInterface', { SubnetId }))[0], 'InsufficientFreeAddressesInSubnet')
  await call('DeleteSubnetCidrReservation', { SubnetCidrReservationId })
  assert.equal(await next(), '10.0.1.4')
})

test('a reservation is within its subnet, of a known type, and overlaps no other', async () => {
  const { call, refused, reserve } = await open()
  await call('CreateSubnetCidrReservation', reserve)
  const codes = [
    await refused('CreateSubnetCidrReservation', { ...reserve, Cidr: '10.0.2.0/28' }),
    await refused('CreateSubnetCidrReservation', { ...reserve, Cidr: '10.0.1.4/31' }),
    await refused('CreateSubnetCidrReservation', { ...reserve, ReservationType: 'other' as never }),
    await refused('DeleteSubnetCidrReservation', { SubnetCidrReservationId: 'scr-0123456789abcdef0' }),
    await refused('DeleteSubnetCidrReservation', { SubnetCidrReservationId: 'none' }),
  ].map(([code]) => code)
  assert.deepEqual(codes, [
    'InvalidParameterValue', 'InvalidParameterValue', 'InvalidParameterValue', 'InvalidSubnetCidrReservationID.NotFound',
    'InvalidSubnetCidrReservationID.Malformed',
  ])
})

test('a subnet\'s reservations go with it', async () => {
  const { call, store, SubnetId, reserve } = await open()
  await call('CreateSubnetCidrReservation', reserve)
  await call('DeleteSubnet', { SubnetId })
  assert.deepEqual(await store.list({ kind: 'subnet-cidr-reservation' }), [])
})
