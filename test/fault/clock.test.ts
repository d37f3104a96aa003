/** The host's clock jumps, forward and back, by hours and by years: what runs goes on, what is asked is done, and nothing spins. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { inWorld, settled } from './stories.ts'

const HOUR = 3_600_000
const YEAR = 8766 * HOUR
const up = { state: 'running', boots: 1 }

const warnings: string[] = []
process.on('warning', ({ name }) => { if (name.startsWith('Timeout')) warnings.push(name) })

for (const jump of [HOUR, -HOUR, 5 * YEAR, -5 * YEAR]) {
  test(`a jump of ${jump / HOUR} hours`, { timeout: 60_000 }, async () => {
    await inWorld(async world => {
      const { Images } = await world.call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
      const launch = { ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1, ClientToken: 'clock' }
      const id = (await world.call('RunInstances', launch)).Instances[0].InstanceId
      await settled(world, up)
      const { SubnetId } = (await world.call('DescribeInstances', { InstanceIds: [id] })).Reservations[0].Instances[0]
      const { NatGateway } = await world.call('CreateNatGateway', { SubnetId, ConnectivityType: 'private', ClientToken: 'clock' })
      await settled(world, up)
      // What ends now is to be forgotten in an hour, which is years away once the clock is put back.
      await world.call('DeleteNatGateway', { NatGatewayId: NatGateway.NatGatewayId })
      await settled(world, up)
      world.later(jump)
      await settled(world, up)
      await pause(20) // Warnings come with the next turn.
      assert.deepEqual(warnings, [], 'no timer is longer than a timer can be, and so does not wait at all')
      assert.equal((await world.call('RunInstances', launch)).Instances[0].InstanceId, id, 'the token is still known')
      await world.restart()
      await settled(world, up)
      await world.call('StopInstances', { InstanceIds: [id] })
      await settled(world, { state: 'stopped', boots: 1 })
      await world.call('StartInstances', { InstanceIds: [id] })
      await settled(world, { state: 'running', boots: 2 })
      await world.call('TerminateInstances', { InstanceIds: [id] })
      await settled(world, { state: 'terminated', boots: 2 })
    })
  })
}
