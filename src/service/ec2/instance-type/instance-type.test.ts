import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { valuesAt } from '#kit/filter'
import { operationsOf, type Shape } from '#kit/schema'
import { all, credits, filters, find, limits, view } from '#service/ec2/instance-type/instance-type'

test('all sizes of the fifteen families are there, bare metal too', () => {
  const count = new Map<string, number>()
  for (const { name } of all()) count.set(name.split('.')[0]!, (count.get(name.split('.')[0]!) ?? 0) + 1)
  assert.deepEqual(Object.fromEntries(count), {
    t2: 7, t3: 7, t3a: 7, t4g: 7, m5: 9, m5d: 9, m6i: 10, m7i: 11, c5: 9, c5d: 9, c6i: 10, c7i: 11, r5: 9, r6i: 10, i3: 7,
  })
})

test('every name is one that the SDK knows', () => {
  const known = new Set<string>(Object.values(sdk._InstanceType))
  assert.deepEqual(all().map(type => type.name).filter(name => !known.has(name)), [])
})

// Whole answers of AWS's for a burstable, a bare-metal and a disk type, less what Enclume leaves out.
test('t2.micro, m5.large, c5d.metal and i3.2xlarge are shown as AWS shows them', () => {
  assert.deepEqual(view(find('t2.micro')!), {
    InstanceType: 't2.micro', CurrentGeneration: true, FreeTierEligible: false, SupportedUsageClasses: ['on-demand', 'spot'],
    SupportedRootDeviceTypes: ['ebs'], SupportedVirtualizationTypes: ['hvm'], BareMetal: false, Hypervisor: 'xen',
    ProcessorInfo: { SupportedArchitectures: ['i386', 'x86_64'], SustainedClockSpeedInGhz: 2.5, Manufacturer: 'Intel' },
    VCpuInfo: { DefaultVCpus: 1, DefaultCores: 1, DefaultThreadsPerCore: 1 }, MemoryInfo: { SizeInMiB: 1024 },
    InstanceStorageSupported: false,
    EbsInfo: { EbsOptimizedSupport: 'unsupported', EncryptionSupport: 'supported', NvmeSupport: 'unsupported' },
    NetworkInfo: {
      NetworkPerformance: 'Low to Moderate', MaximumNetworkInterfaces: 2, MaximumNetworkCards: 1, DefaultNetworkCardIndex: 0,
      NetworkCards: [{
        NetworkCardIndex: 0, NetworkPerformance: 'Low to Moderate', MaximumNetworkInterfaces: 2,
        BaselineBandwidthInGbps: 0.064, PeakBandwidthInGbps: 1.024,
      }],
      Ipv4AddressesPerInterface: 2, Ipv6AddressesPerInterface: 2, Ipv6Supported: true, EnaSupport: 'unsupported',
      EfaSupported: false, EncryptionInTransitSupported: false,
    },
    PlacementGroupInfo: { SupportedStrategies: ['partition', 'spread'] }, HibernationSupported: true,
    BurstablePerformanceSupported: true, DedicatedHostsSupported: false, AutoRecoverySupported: true,
    SupportedBootModes: ['legacy-bios'], NitroEnclavesSupport: 'unsupported', NitroTpmSupport: 'unsupported',
  })
  const m5 = view(find('m5.large')!)
  assert.deepEqual(m5.EbsInfo, {
    EbsOptimizedSupport: 'default', EncryptionSupport: 'supported', NvmeSupport: 'required',
    EbsOptimizedInfo: {
      BaselineBandwidthInMbps: 650, BaselineThroughputInMBps: 81.25, BaselineIops: 3600,
      MaximumBandwidthInMbps: 4750, MaximumThroughputInMBps: 593.75, MaximumIops: 18750,
    },
  })
  const metal = view(find('c5d.metal')!)
  assert.deepEqual(metal.InstanceStorageInfo, {
    TotalSizeInGB: 3600, Disks: [{ SizeInGB: 900, Count: 4, Type: 'ssd' }], NvmeSupport: 'required', EncryptionSupport: 'required',
  })
  assert.deepEqual(
    [metal.Hypervisor, metal.SupportedBootModes, metal.ProcessorInfo!.SustainedClockSpeedInGhz], [undefined, ['legacy-bios'], 3.6])
  const i3 = view(find('i3.2xlarge')!)
  assert.deepEqual([i3.MemoryInfo, i3.NetworkInfo!.EnaSupport, i3.EbsInfo!.NvmeSupport, i3.AutoRecoverySupported, i3.Hypervisor],
    [{ SizeInMiB: 62464 }, 'supported', 'supported', false, 'xen'])
})

test('limits are what an instance gets; only burstable types have a baseline', () => {
  assert.deepEqual(limits(find('t2.micro')!), {
    cpus: 1, cpuBaselinePercent: 10, memoryMiB: 1024, maxInterfaces: 2, addressesPerInterface: 2, networkBaselineGbps: 0.064, networkPeakGbps: 1.024,
  })
  assert.deepEqual(limits(find('c7i.48xlarge')!),
    { cpus: 192, memoryMiB: 393216, maxInterfaces: 15, addressesPerInterface: 50, networkBaselineGbps: 50, networkPeakGbps: 50 })
  const baseline = (name: string) => Math.round(limits(find(name)!).cpuBaselinePercent! * 10) / 10
  assert.deepEqual(['t2.xlarge', 't2.2xlarge', 't3.large', 't4g.2xlarge'].map(baseline), [22.5, 17, 30, 40])
  assert.deepEqual([credits(find('t2.micro')!), credits(find('t3.micro')!), credits(find('m5.large')!)],
    [{ perHour: 6, max: 144, launch: 30 }, { perHour: 12, max: 288, launch: 0 }, undefined])
})

test('a view has only members of the SDK\'s shape, and a filter\'s path leads into it', () => {
  const shape = operationsOf(sdk).get('DescribeInstanceTypes')!.output.byName.get('InstanceTypes')!.target.value!.target
  const item = (s: Shape): Shape => (s.kind === 'list' ? item(s.value!.target) : s)
  const check = (value: unknown, s: Shape, path: string): void => {
    if (Array.isArray(value)) return value.forEach(v => check(v, item(s), path))
    if (value === null || typeof value !== 'object') return
    for (const [key, inner] of Object.entries(value)) {
      const member = s.byName.get(key)
      assert.ok(member, `${path}.${key}`)
      check(inner, member.target, `${path}.${key}`)
    }
  }
  for (const type of all()) check(view(type), shape, type.name)
  const views = all().map(view)
  for (const [name, path] of Object.entries(filters)) {
    assert.ok(views.some(v => valuesAt(v, path).length > 0), name)
  }
})
