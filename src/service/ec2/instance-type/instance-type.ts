/**
 * Instance types: AWS's figures as DescribeInstanceTypes shows them, and as limits for the machines that Enclume starts.
 *
 * Invariant: every member of a view comes from data/types.ts or holds for all Nitro or all Xen types; what is not known (the valid
 * core counts, for one) is left out, never made up.
 */
import type { InstanceTypeInfo, _InstanceType } from '@aws-sdk/client-ec2'
import { FAMILIES, type Family, type Row } from '#service/ec2/instance-type/data/types'

export type InstanceType = { name: string; family: Family; row: Row; size: string; metal: boolean; burstable: boolean; memoryMiB: number }

/** What one instance of a type gets of the host. */
export type Limits = {
  cpus: number
  /** Of each vCPU, over time; types that don't burst have none. */
  cpuBaselinePercent?: number
  memoryMiB: number
  maxInterfaces: number
  addressesPerInterface: number
  networkBaselineGbps: number
  networkPeakGbps: number
}

/** CPU credits: one is one vCPU at full for a minute. */
export type Credits = { perHour: number; max: number; launch: number }

const types = new Map<string, InstanceType>()
for (const [prefix, family] of Object.entries(FAMILIES)) {
  for (const row of family.rows) {
    const [size, vcpus] = row
    const memoryMiB = typeof family.memoryMiB === 'number' ? family.memoryMiB * vcpus : family.memoryMiB[size]!
    const name = `${prefix}.${size}`
    types.set(name, { name, family, row, size, metal: size.startsWith('metal'), burstable: family.creditsPerHour !== undefined, memoryMiB })
  }
}

export const find = (name: string): InstanceType | undefined => types.get(name)
export const all = (): InstanceType[] => [...types.values()]

const perHour = (type: InstanceType): number | undefined => type.family.creditsPerHour?.[type.size]

export function limits(type: InstanceType): Limits {
  const [, cpus, maxInterfaces, addressesPerInterface, networkBaselineGbps, networkPeakGbps] = type.row
  const credits = perHour(type)
  return {
    cpus, memoryMiB: type.memoryMiB, maxInterfaces, addressesPerInterface, networkBaselineGbps, networkPeakGbps,
    // EC2 User Guide, "Baseline utilization": credits earned an hour, for each vCPU, of sixty minutes.
    ...(credits === undefined ? {} : { cpuBaselinePercent: (credits / cpus / 60) * 100 }),
  }
}

/** A burstable type's credits; launch credits are T2's alone, thirty for each vCPU (EC2 User Guide, "Launch credits"). */
export function credits(type: InstanceType): Credits | undefined {
  const earned = perHour(type)
  const launch = type.name.startsWith('t2.') ? type.row[1] * 30 : 0
  return earned === undefined ? undefined : { perHour: earned, max: earned * 24, launch }
}

/** AWS's unit for throughput is MB/s, for bandwidth Mbit/s. */
const throughput = (mbps: number): number => mbps / 8
/** EC2 User Guide, "Hibernation prerequisites": instances with less than 150 GiB of RAM, no bare metal. */
const HIBERNATES_BELOW_MIB = 150 * 1024
/** AWS Nitro Enclaves User Guide: at least four vCPUs, virtualised Nitro, not the T families. */
const ENCLAVE_VCPUS = 4

function ebs({ family, row, metal }: InstanceType): InstanceTypeInfo['EbsInfo'] {
  const [, , , , , , mbps, iops, maxMbps = mbps, maxIops = iops] = row
  const nvme = family.hypervisor === 'nitro' || metal ? 'required' : mbps ? 'supported' : 'unsupported'
  if (!mbps || !maxMbps) return { EbsOptimizedSupport: 'unsupported', EncryptionSupport: 'supported', NvmeSupport: nvme }
  return {
    EbsOptimizedSupport: 'default', EncryptionSupport: 'supported', NvmeSupport: nvme,
    EbsOptimizedInfo: {
      BaselineBandwidthInMbps: mbps, BaselineThroughputInMBps: throughput(mbps), BaselineIops: iops,
      MaximumBandwidthInMbps: maxMbps, MaximumThroughputInMBps: throughput(maxMbps), MaximumIops: maxIops,
    },
  }
}

function network({ family, row, size, metal }: InstanceType): InstanceTypeInfo['NetworkInfo'] {
  const [, , interfaces, addresses, baselineGbps, peakGbps] = row
  const performance = family.except?.[size]?.network ?? (baselineGbps === peakGbps ? `${peakGbps} Gigabit` : `Up to ${peakGbps} Gigabit`)
  const efa = family.efa?.includes(size) ?? false
  return {
    NetworkPerformance: performance, MaximumNetworkInterfaces: interfaces, MaximumNetworkCards: 1, DefaultNetworkCardIndex: 0,
    NetworkCards: [{
      NetworkCardIndex: 0, NetworkPerformance: performance, MaximumNetworkInterfaces: interfaces,
      BaselineBandwidthInGbps: baselineGbps, PeakBandwidthInGbps: peakGbps,
    }],
    Ipv4AddressesPerInterface: addresses, Ipv6AddressesPerInterface: addresses, Ipv6Supported: true,
    EnaSupport: family.hypervisor === 'nitro' || metal ? 'required' : row[6] ? 'supported' : 'unsupported',
    EfaSupported: efa, ...(efa ? { EfaInfo: { MaximumEfaInterfaces: 1 } } : {}),
    EncryptionInTransitSupported: family.encryptionInTransit,
  }
}

function storage({ family, size }: InstanceType): Pick<InstanceTypeInfo, 'InstanceStorageSupported' | 'InstanceStorageInfo'> {
  const disks = family.disks?.[size]
  if (!disks) return { InstanceStorageSupported: false }
  const [count, sizeGB] = disks
  return {
    InstanceStorageSupported: true,
    InstanceStorageInfo: {
      TotalSizeInGB: count * sizeGB, Disks: [{ SizeInGB: sizeGB, Count: count, Type: 'ssd' }],
      NvmeSupport: 'required', EncryptionSupport: 'required',
    },
  }
}

/** A type as DescribeInstanceTypes shows it. */
export function view(type: InstanceType): InstanceTypeInfo {
  const { family, row: [size, vcpus], metal, burstable } = type
  const except = family.except?.[size]
  const nitro = family.hypervisor === 'nitro' && !metal
  const arm = family.architectures.includes('arm64')
  return {
    InstanceType: type.name as _InstanceType,
    CurrentGeneration: family.current,
    FreeTierEligible: family.freeTier?.includes(size) ?? false,
    SupportedUsageClasses: except?.onDemandOnly ? ['on-demand'] : ['on-demand', 'spot'],
    SupportedRootDeviceTypes: ['ebs'],
    SupportedVirtualizationTypes: ['hvm'],
    BareMetal: metal,
    // Bare metal has none: AWS leaves the member out.
    ...(metal ? {} : { Hypervisor: family.hypervisor }),
    ProcessorInfo: {
      SupportedArchitectures: [...(except?.architectures ?? family.architectures)],
      SustainedClockSpeedInGhz: except?.clockGHz ?? family.clockGHz, Manufacturer: family.manufacturer,
    },
    VCpuInfo: { DefaultVCpus: vcpus, DefaultCores: vcpus / family.threadsPerCore, DefaultThreadsPerCore: family.threadsPerCore },
    MemoryInfo: { SizeInMiB: type.memoryMiB },
    ...storage(type),
    EbsInfo: ebs(type),
    NetworkInfo: network(type),
    PlacementGroupInfo: { SupportedStrategies: burstable ? ['partition', 'spread'] : ['cluster', 'partition', 'spread'] },
    HibernationSupported: !metal && type.memoryMiB < HIBERNATES_BELOW_MIB,
    BurstablePerformanceSupported: burstable,
    DedicatedHostsSupported: except?.dedicatedHosts ?? family.dedicatedHosts,
    AutoRecoverySupported: family.disks === undefined,
    SupportedBootModes: arm ? ['uefi'] : nitro ? ['legacy-bios', 'uefi'] : ['legacy-bios'],
    NitroEnclavesSupport: nitro && !burstable && vcpus >= ENCLAVE_VCPUS ? 'supported' : 'unsupported',
    NitroTpmSupport: nitro ? 'supported' : 'unsupported',
    ...(nitro ? { NitroTpmInfo: { SupportedVersions: ['2.0'] } } : {}),
  }
}

/** Filters of DescribeInstanceTypes (API Reference) to where their values are. */
export const filters: Record<string, string> = {
  'auto-recovery-supported': 'AutoRecoverySupported',
  'bare-metal': 'BareMetal',
  'burstable-performance-supported': 'BurstablePerformanceSupported',
  'current-generation': 'CurrentGeneration',
  'dedicated-hosts-supported': 'DedicatedHostsSupported',
  'ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps': 'EbsInfo.EbsOptimizedInfo.BaselineBandwidthInMbps',
  'ebs-info.ebs-optimized-info.baseline-iops': 'EbsInfo.EbsOptimizedInfo.BaselineIops',
  'ebs-info.ebs-optimized-info.baseline-throughput-in-mbps': 'EbsInfo.EbsOptimizedInfo.BaselineThroughputInMBps',
  'ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps': 'EbsInfo.EbsOptimizedInfo.MaximumBandwidthInMbps',
  'ebs-info.ebs-optimized-info.maximum-iops': 'EbsInfo.EbsOptimizedInfo.MaximumIops',
  'ebs-info.ebs-optimized-info.maximum-throughput-in-mbps': 'EbsInfo.EbsOptimizedInfo.MaximumThroughputInMBps',
  'ebs-info.ebs-optimized-support': 'EbsInfo.EbsOptimizedSupport',
  'ebs-info.encryption-support': 'EbsInfo.EncryptionSupport',
  'ebs-info.nvme-support': 'EbsInfo.NvmeSupport',
  'free-tier-eligible': 'FreeTierEligible',
  'hibernation-supported': 'HibernationSupported',
  hypervisor: 'Hypervisor',
  'instance-storage-info.disk.count': 'InstanceStorageInfo.Disks.Count',
  'instance-storage-info.disk.size-in-gb': 'InstanceStorageInfo.Disks.SizeInGB',
  'instance-storage-info.disk.type': 'InstanceStorageInfo.Disks.Type',
  'instance-storage-info.encryption-support': 'InstanceStorageInfo.EncryptionSupport',
  'instance-storage-info.nvme-support': 'InstanceStorageInfo.NvmeSupport',
  'instance-storage-info.total-size-in-gb': 'InstanceStorageInfo.TotalSizeInGB',
  'instance-storage-supported': 'InstanceStorageSupported',
  'instance-type': 'InstanceType',
  'memory-info.size-in-mib': 'MemoryInfo.SizeInMiB',
  'network-info.efa-info.maximum-efa-interfaces': 'NetworkInfo.EfaInfo.MaximumEfaInterfaces',
  'network-info.efa-supported': 'NetworkInfo.EfaSupported',
  'network-info.ena-support': 'NetworkInfo.EnaSupport',
  'network-info.encryption-in-transit-supported': 'NetworkInfo.EncryptionInTransitSupported',
  'network-info.ipv4-addresses-per-interface': 'NetworkInfo.Ipv4AddressesPerInterface',
  'network-info.ipv6-addresses-per-interface': 'NetworkInfo.Ipv6AddressesPerInterface',
  'network-info.ipv6-supported': 'NetworkInfo.Ipv6Supported',
  'network-info.maximum-network-cards': 'NetworkInfo.MaximumNetworkCards',
  'network-info.maximum-network-interfaces': 'NetworkInfo.MaximumNetworkInterfaces',
  'network-info.network-performance': 'NetworkInfo.NetworkPerformance',
  'nitro-enclaves-support': 'NitroEnclavesSupport',
  'nitro-tpm-support': 'NitroTpmSupport',
  'nitro-tpm-info.supported-versions': 'NitroTpmInfo.SupportedVersions',
  'processor-info.supported-architecture': 'ProcessorInfo.SupportedArchitectures',
  'processor-info.sustained-clock-speed-in-ghz': 'ProcessorInfo.SustainedClockSpeedInGhz',
  'supported-boot-mode': 'SupportedBootModes',
  'supported-root-device-type': 'SupportedRootDeviceTypes',
  'supported-usage-class': 'SupportedUsageClasses',
  'supported-virtualization-type': 'SupportedVirtualizationTypes',
  'vcpu-info.default-cores': 'VCpuInfo.DefaultCores',
  'vcpu-info.default-threads-per-core': 'VCpuInfo.DefaultThreadsPerCore',
  'vcpu-info.default-vcpus': 'VCpuInfo.DefaultVCpus',
}
