import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageSeen } from '#engine/port'
import { ApiError } from '#kit/error'
import { checkFilters, harness, PLACE, present } from '#service/ec2/harness.suite'
import type { Context } from '#service/ec2/context'
import { actions as actionsOver } from '#service/ec2/image/actions'
import { AMAZON, image, imageForLaunch } from '#service/ec2/image/image'
import { imageId, prepareImages } from '#service/ec2/image/prepare'
import { actions as snapshotActionsOver } from '#service/ec2/snapshot/actions'
import { snapshot } from '#service/ec2/snapshot/snapshot'

const debian: ImageSeen = {
  name: 'debian-12-ec2', description: 'Debian 12 with EC2 manners', architecture: 'x86_64', sizeGiB: 8,
  created: '2026-01-02T03:04:05.000Z', user: 'ec2-user',
}
const plain: ImageSeen = { ...debian, name: 'debian-12', description: 'Debian 12', user: 'admin', sizeGiB: 4 }
const ids = [debian, plain].map(seen => imageId('us-east-1', seen))

const context = {} as Context // Nothing here asks the host.
const [actions, snapshotActions] = [actionsOver(context), snapshotActionsOver(context)]

function images(initial: ImageSeen[] | 'unknown' = [debian, plain]) {
  const built = { now: initial }
  return { built, ...harness({ ...actions, ...snapshotActions }, (tx, place) => prepareImages(tx, place, built.now)) }
}
const names = (output: { Images?: { Name?: string }[] }) => output.Images!.map(i => i.Name).sort()

test('a built image is a public image of Amazon\'s in every region, each with its own lasting id', async () => {
  const { call, store } = images()
  const { Images: found = [] } = await call('DescribeImages', { ImageIds: [ids[0]!] })
  assert.deepEqual(present(found), [{
    ImageId: ids[0], Name: 'debian-12-ec2', Description: 'Debian 12 with EC2 manners (log in as ec2-user)', State: 'available',
    CreationDate: '2026-01-02T03:04:05.000Z', Public: true, ImageLocation: 'amazon/debian-12-ec2', OwnerId: AMAZON,
    ImageOwnerAlias: 'amazon', Architecture: 'x86_64', ImageType: 'machine', PlatformDetails: 'Linux/UNIX', UsageOperation: 'RunInstances',
    RootDeviceName: '/dev/xvda',
    RootDeviceType: 'ebs', VirtualizationType: 'hvm', Hypervisor: 'xen', EnaSupport: true, SriovNetSupport: 'simple',
    BootMode: 'uefi-preferred', DeregistrationProtection: 'disabled', ImdsSupport: 'v2.0', Tags: [],
    BlockDeviceMappings: [{
      DeviceName: '/dev/xvda',
      Ebs: {
        SnapshotId: found[0]!.BlockDeviceMappings![0]!.Ebs!.SnapshotId, VolumeSize: 8, VolumeType: 'gp3', DeleteOnTermination: true,
        Encrypted: false,
      },
    }],
  }])
  const elsewhere = await call('DescribeImages', { Owners: ['amazon'] }, { account: '444455556666', region: 'eu-west-1' })
  assert.deepEqual(names(elsewhere), ['debian-12', 'debian-12-ec2'])
  assert.equal(elsewhere.Images!.some(i => ids.includes(i.ImageId!)), false)
  const written = (await store.events({ after: 0, limit: 100 })).length
  await call('DescribeImages', {})
  assert.equal((await store.events({ after: 0, limit: 100 })).length, written, 'preparing again writes nothing')
})

test('images are chosen by owner, launch permission, filter and page', async () => {
  const { call, refusal } = images()
  assert.deepEqual(names(await call('DescribeImages', { Owners: ['self'] })), [])
  assert.deepEqual(names(await call('DescribeImages', { Owners: ['aws-marketplace'] })), [])
  assert.deepEqual(names(await call('DescribeImages', { Owners: ['self', AMAZON] })), ['debian-12', 'debian-12-ec2'])
  assert.deepEqual(names(await call('DescribeImages', { ExecutableUsers: ['self'] })), [])
  const executable = { ExecutableUsers: ['all'], IncludeDeprecated: true }
  assert.deepEqual(names(await call('DescribeImages', executable)), ['debian-12', 'debian-12-ec2'])
  const byName = { Filters: [{ Name: 'name', Values: ['*-ec2'] }, { Name: 'block-device-mapping.volume-size', Values: ['8'] }] }
  assert.deepEqual(names(await call('DescribeImages', byName)), ['debian-12-ec2'])
  const scanned = { Filters: [{ Name: 'scan-result.critical-fix-available-since', Values: ['*'] }] }
  assert.deepEqual(names(await call('DescribeImages', scanned)), [])
  const first = await call('DescribeImages', { MaxResults: 1 })
  const second = await call('DescribeImages', { MaxResults: 1, NextToken: first.NextToken })
  assert.deepEqual([...names(first), ...names(second)].sort(), ['debian-12', 'debian-12-ec2'])
  assert.equal(second.NextToken, undefined)
  assert.equal(await refusal('DescribeImages', { Owners: ['nobody'] }),
    'InvalidParameterValue: Value (nobody) for parameter owner is invalid.')
})

test('ids that are no image\'s are refused', async () => {
  const { call, refusal } = images()
  assert.equal(await refusal('DescribeImages', { ImageIds: ['ami-0123'] }),
    'InvalidAMIID.Malformed: Invalid id: "ami-0123" (expecting "ami-...")')
  assert.equal(await refusal('DescribeImages', { ImageIds: ['ami-00000000'] }),
    "InvalidAMIID.NotFound: The image id '[ami-00000000]' does not exist")
  assert.equal(await refusal('DescribeImages', { ImageIds: ['ami-00000000', ids[0]!, 'ami-11111111'] }),
    "InvalidAMIID.NotFound: The image ids '[ami-00000000, ami-11111111]' do not exist")
  await call('DescribeImages', {})
  assert.match(await refusal('DescribeImages', { ImageIds: [ids[0]!] }, { ...PLACE, region: 'eu-west-1' }), /^InvalidAMIID.NotFound/)
})

test('an image that was rebuilt is a new one; the old one is deregistered, found by its id and not launched', async () => {
  const { built, call, store } = images()
  await call('DescribeImages', {})
  const rebuilt = { ...debian, created: '2026-04-01T00:00:00.000Z' }
  built.now = [rebuilt, plain]
  const listed = await call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12-ec2'] }] })
  assert.deepEqual(listed.Images!.map(i => i.ImageId), [imageId('us-east-1', rebuilt)])
  const old = await call('DescribeImages', { ImageIds: [ids[0]!] })
  assert.equal(old.Images![0]!.State, 'deregistered')
  assert.equal((await imageForLaunch(store, PLACE, ids[1]!)).spec.image, 'debian-12')
  await assert.rejects(imageForLaunch(store, PLACE, ids[0]!),
    new ApiError('InvalidAMIID.Unavailable', `The image ID '${ids[0]}' is no longer available`))
  built.now = [debian, plain]
  await call('DescribeImages', {})
  assert.equal((await imageForLaunch(store, PLACE, ids[0]!)).status.state, 'available')
})

test('what the engine says anew of the same image is taken over', async () => {
  const { built, call } = images()
  await call('DescribeImages', {})
  built.now = [{ ...debian, description: 'Better' }, plain]
  assert.equal((await call('DescribeImages', { ImageIds: [ids[0]!] })).Images![0]!.Description, 'Better (log in as ec2-user)')
})

test('an engine that cannot be seen deregisters nothing', async () => {
  const { built, call } = images()
  await call('DescribeImages', {})
  built.now = 'unknown'
  assert.deepEqual(names(await call('DescribeImages', {})), ['debian-12', 'debian-12-ec2'])
})

test('attributes of an image are for its owner', async () => {
  const { call, refusal, store } = images()
  await call('DescribeImages', {})
  const ask = (Attribute: string, ImageId = ids[0]!) => ({ Attribute, ImageId }) as { Attribute: 'description'; ImageId: string }
  assert.equal(await refusal('DescribeImageAttribute', ask('launchPermission')), `AuthFailure: Not authorized for image:${ids[0]}`)
  assert.equal(await refusal('DescribeImageAttribute', ask('blockDeviceMapping')),
    'AuthFailure: Unauthorized attempt to access restricted resource')
  assert.match(await refusal('DescribeImageAttribute', ask('toString')), /^InvalidParameterValue/)
  const { spec } = (await image.find(store, ids[0]!))!
  const own = image.make({ ...PLACE, now: new Date(0), spec: { ...spec, owner: 'self', public: false }, status: { state: 'available' } })
  await store.transact(tx => tx.put(own, 'registered'))
  assert.deepEqual(await call('DescribeImageAttribute', ask('description', own.id)),
    { ImageId: own.id, Description: { Value: spec.description } })
  assert.deepEqual(await call('DescribeImageAttribute', ask('launchPermission', own.id)), { ImageId: own.id, LaunchPermissions: [] })
  assert.deepEqual(await call('DescribeImageAttribute', ask('imdsSupport', own.id)), { ImageId: own.id, ImdsSupport: { Value: 'v2.0' } })
  assert.match(await refusal('DescribeImages', { ImageIds: [own.id] }, { ...PLACE, account: '444455556666' }), /^InvalidAMIID.NotFound/)
})

test('the snapshots behind images are listed as Amazon\'s', async () => {
  const { call, refusal } = images([plain])
  const { Images: [only] = [] } = await call('DescribeImages', {})
  const id = only!.BlockDeviceMappings![0]!.Ebs!.SnapshotId!
  const small = { OwnerIds: ['amazon'], Filters: [{ Name: 'volume-size', Values: ['4'] }] }
  const { Snapshots: found = [] } = await call('DescribeSnapshots', small)
  assert.deepEqual(present(found), [{
    SnapshotId: id, VolumeId: 'vol-ffffffff', VolumeSize: 4, Description: `Root volume of ${only!.ImageId}`, State: 'completed',
    Progress: '100%',
    StartTime: new Date(plain.created), CompletionTime: new Date(plain.created), OwnerId: AMAZON, OwnerAlias: 'amazon', Encrypted: false,
    StorageTier: 'standard', Tags: [],
  }])
  assert.deepEqual((await call('DescribeSnapshots', { OwnerIds: ['self'] })).Snapshots, [])
  assert.deepEqual((await call('DescribeSnapshots', { RestorableByUserIds: ['self'] })).Snapshots, [])
  assert.equal((await call('DescribeSnapshots', { SnapshotIds: [id], RestorableByUserIds: ['all'] })).Snapshots!.length, 1)
  assert.equal(await refusal('DescribeSnapshots', { SnapshotIds: ['snap-00000000'] }),
    "InvalidSnapshot.NotFound: The snapshot 'snap-00000000' does not exist.")
  assert.match(await refusal('DescribeSnapshots', { SnapshotIds: ['snap-?'] }), /^InvalidSnapshotID.Malformed/)
  assert.match(await refusal('DescribeSnapshots', { SnapshotIds: [id], MaxResults: 5 }), /^InvalidParameterCombination/)
})

test('every filter leads to a member of the answer', () => {
  checkFilters(image, 'DescribeImages', 'Images')
  checkFilters(snapshot, 'DescribeSnapshots', 'Snapshots')
})
