/**
 * What AWS says of each instance type that Enclume knows: figures only, one row a size.
 *
 * Sources: output of DescribeInstanceTypes as stored in getmoto/moto (moto/ec2/resources/instance_types.json) for all t types, m5, m5d, r5,
 * c5, c5d, c6i, c7i and i3; aws/karpenter-provider-aws (zz_generated.bandwidth.go) and aws/amazon-vpc-cni-k8s (vpc_ip_resource_limit.go)
 * for network baselines and interface limits; the EC2 User Guide for EBS limits ("Amazon EBS–optimized instances"), CPU credits
 * ("Key concepts for burstable performance instances") and instance store volumes. M6i, R6i and M7i have the EBS and network figures of C6i
 * and C7i, which agree with the sources above wherever those name them.
 */

/**
 * [size, vCPUs, interfaces, addresses an interface, network baseline Gbps, network peak Gbps,
 *  EBS baseline Mbps, EBS baseline IOPS, EBS maximum Mbps, EBS maximum IOPS]; the last four only where the type is EBS-optimised,
 * the last two only where they differ from the baseline.
 */
export type Row = readonly [
  size: string, vcpus: number, interfaces: number, addresses: number, networkGbps: number, networkPeakGbps: number,
  ebsMbps?: number, ebsIops?: number, ebsMaxMbps?: number, ebsMaxIops?: number,
]

export type Family = {
  rows: readonly Row[]
  hypervisor: 'nitro' | 'xen'
  manufacturer: 'Intel' | 'AMD' | 'AWS'
  architectures: readonly ('x86_64' | 'arm64' | 'i386')[]
  threadsPerCore: 1 | 2
  clockGHz: number
  /** For each vCPU, or by size. */
  memoryMiB: number | Readonly<Record<string, number>>
  current: boolean
  dedicatedHosts: boolean
  encryptionInTransit: boolean
  /** Credits an hour, by size. Only burstable families have them. */
  creditsPerHour?: Readonly<Record<string, number>>
  /** Instance store: [volumes, GB of each], by size. */
  disks?: Readonly<Record<string, readonly [count: number, sizeGB: number]>>
  /** AWS's offers for beginners, by size. */
  freeTier?: readonly string[]
  /** Sizes with an Elastic Fabric Adapter. */
  efa?: readonly string[]
  /** What differs for one size. */
  except?: Readonly<Record<string, Exception>>
}
export type Exception = {
  clockGHz?: number; dedicatedHosts?: boolean; onDemandOnly?: boolean; network?: string; architectures?: readonly ('x86_64' | 'i386')[]
}

const T2: Row[] = [
  ['nano', 1, 2, 2, 0.032, 0.512], ['micro', 1, 2, 2, 0.064, 1.024], ['small', 1, 3, 4, 0.128, 1.024], ['medium', 2, 3, 6, 0.256, 1.024],
  ['large', 2, 3, 12, 0.512, 1.024], ['xlarge', 4, 3, 15, 0.75, 1.024], ['2xlarge', 8, 3, 15, 1, 1.024],
]
const T3: Row[] = [
  ['nano', 2, 2, 2, 0.032, 5, 43, 250, 2085, 11800],
  ['micro', 2, 2, 2, 0.064, 5, 87, 500, 2085, 11800],
  ['small', 2, 3, 4, 0.128, 5, 174, 1000, 2085, 11800],
  ['medium', 2, 3, 6, 0.256, 5, 347, 2000, 2085, 11800],
  ['large', 2, 3, 12, 0.512, 5, 695, 4000, 2780, 15700],
  ['xlarge', 4, 4, 15, 1.024, 5, 695, 4000, 2780, 15700],
  ['2xlarge', 8, 4, 15, 2.048, 5, 695, 4000, 2780, 15700],
]
const T3A: Row[] = [
  ['nano', 2, 2, 2, 0.032, 5, 45, 250, 2085, 11800],
  ['micro', 2, 2, 2, 0.064, 5, 90, 500, 2085, 11800],
  ['small', 2, 2, 4, 0.128, 5, 175, 1000, 2085, 11800],
  ['medium', 2, 3, 6, 0.256, 5, 350, 2000, 2085, 11800],
  ...T3.slice(4),
]
const M5: Row[] = [
  ['large', 2, 3, 10, 0.75, 10, 650, 3600, 4750, 18750],
  ['xlarge', 4, 4, 15, 1.25, 10, 1150, 6000, 4750, 18750],
  ['2xlarge', 8, 4, 15, 2.5, 10, 2300, 12000, 4750, 18750],
  ['4xlarge', 16, 8, 30, 5, 10, 4750, 18750],
  ['8xlarge', 32, 8, 30, 10, 10, 6800, 30000],
  ['12xlarge', 48, 8, 30, 12, 12, 9500, 40000],
  ['16xlarge', 64, 15, 50, 20, 20, 13600, 60000],
  ['24xlarge', 96, 15, 50, 25, 25, 19000, 80000],
  ['metal', 96, 15, 50, 25, 25, 19000, 80000],
]
const C5: Row[] = [
  ['large', 2, 3, 10, 0.75, 10, 650, 4000, 4750, 20000],
  ['xlarge', 4, 4, 15, 1.25, 10, 1150, 6000, 4750, 20000],
  ['2xlarge', 8, 4, 15, 2.5, 10, 2300, 10000, 4750, 20000],
  ['4xlarge', 16, 8, 30, 5, 10, 4750, 20000],
  ['9xlarge', 36, 8, 30, 12, 12, 9500, 40000],
  ['12xlarge', 48, 8, 30, 12, 12, 9500, 40000],
  ['18xlarge', 72, 15, 50, 25, 25, 19000, 80000],
  ['24xlarge', 96, 15, 50, 25, 25, 19000, 80000],
  ['metal', 96, 15, 50, 25, 25, 19000, 80000],
]
const LARGE_TO_24XLARGE: Row[] = [
  ['large', 2, 3, 10, 0.781, 12.5, 650, 3600, 10000, 40000],
  ['xlarge', 4, 4, 15, 1.562, 12.5, 1250, 6000, 10000, 40000],
  ['2xlarge', 8, 4, 15, 3.125, 12.5, 2500, 12000, 10000, 40000],
  ['4xlarge', 16, 8, 30, 6.25, 12.5, 5000, 20000, 10000, 40000],
  ['8xlarge', 32, 8, 30, 12.5, 12.5, 10000, 40000],
  ['12xlarge', 48, 8, 30, 18.75, 18.75, 15000, 60000],
  ['16xlarge', 64, 15, 50, 25, 25, 20000, 80000],
  ['24xlarge', 96, 15, 50, 37.5, 37.5, 30000, 120000],
]
const SIXTH: Row[] = [
  ...LARGE_TO_24XLARGE,
  ['32xlarge', 128, 15, 50, 50, 50, 40000, 160000],
  ['metal', 128, 15, 50, 50, 50, 40000, 160000],
]
const SEVENTH: Row[] = [
  ...LARGE_TO_24XLARGE,
  ['48xlarge', 192, 15, 50, 50, 50, 40000, 240000],
  ['metal-24xl', 96, 15, 50, 37.5, 37.5, 30000, 120000],
  ['metal-48xl', 192, 15, 50, 50, 50, 40000, 240000],
]
const I3: Row[] = [
  ['large', 2, 3, 10, 0.75, 10, 425, 3000], ['xlarge', 4, 4, 15, 1.25, 10, 850, 6000], ['2xlarge', 8, 4, 15, 2.5, 10, 1700, 12000],
  ['4xlarge', 16, 8, 30, 5, 10, 3500, 16000], ['8xlarge', 32, 8, 30, 12, 12, 7000, 32500], ['16xlarge', 64, 15, 50, 25, 25, 14000, 65000],
  ['metal', 72, 15, 50, 25, 25, 19000, 80000],
]

const BURST_MEMORY = { nano: 512, micro: 1024, small: 2048, medium: 4096, large: 8192, xlarge: 16384, '2xlarge': 32768 }
const T3_CREDITS = { nano: 6, micro: 12, small: 24, medium: 24, large: 36, xlarge: 96, '2xlarge': 192 }
const intel = { hypervisor: 'nitro', manufacturer: 'Intel', architectures: ['x86_64'], threadsPerCore: 2, dedicatedHosts: true } as const
const burst = { ...intel, memoryMiB: BURST_MEMORY, creditsPerHour: T3_CREDITS, current: true, encryptionInTransit: false } as const
const fifth = { ...intel, encryptionInTransit: false } as const
const sixth = { ...intel, rows: SIXTH, clockGHz: 3.5, current: true, encryptionInTransit: true, efa: ['32xlarge', 'metal'] } as const
const seventh = {
  ...intel, rows: SEVENTH, clockGHz: 3.2, current: true, encryptionInTransit: true, efa: ['48xlarge', 'metal-48xl'],
  except: { 'metal-24xl': { dedicatedHosts: false } },
} as const
const COMPUTE = 2048
const GENERAL = 4096
const MEMORY = 8192
// The larger C5 and C5d run on a later processor than the smaller.
const later = { clockGHz: 3.6, dedicatedHosts: false }
const laterC5 = { '12xlarge': later, '24xlarge': later, metal: later }
const smallT2 = (clockGHz: number) => ({ clockGHz, architectures: ['i386', 'x86_64'], network: 'Low to Moderate' }) as const

export const FAMILIES: Readonly<Record<string, Family>> = {
  t2: {
    ...burst, rows: T2, hypervisor: 'xen', threadsPerCore: 1, clockGHz: 2.3, dedicatedHosts: false,
    creditsPerHour: { nano: 3, micro: 6, small: 12, medium: 24, large: 36, xlarge: 54, '2xlarge': 81.6 },
    except: {
      nano: { ...smallT2(2.4), onDemandOnly: true }, micro: smallT2(2.5), small: smallT2(2.5), medium: smallT2(2.3),
      large: { network: 'Low to Moderate' }, xlarge: { network: 'Moderate' }, '2xlarge': { network: 'Moderate' },
    },
  },
  t3: { ...burst, rows: T3, clockGHz: 2.5, freeTier: ['micro', 'small'] },
  t3a: { ...burst, rows: T3A, manufacturer: 'AMD', clockGHz: 2.2, dedicatedHosts: false },
  t4g: {
    ...burst, rows: T3, manufacturer: 'AWS', architectures: ['arm64'], threadsPerCore: 1, clockGHz: 2.5, dedicatedHosts: false,
    freeTier: ['micro', 'small'],
  },
  m5: { ...fifth, rows: M5, clockGHz: 3.1, memoryMiB: GENERAL, current: false },
  m5d: {
    ...fifth, rows: M5, clockGHz: 3.1, memoryMiB: GENERAL, current: true,
    disks: {
      large: [1, 75], xlarge: [1, 150], '2xlarge': [1, 300], '4xlarge': [2, 300], '8xlarge': [2, 600], '12xlarge': [2, 900],
      '16xlarge': [4, 600], '24xlarge': [4, 900], metal: [4, 900],
    },
  },
  m6i: { ...sixth, memoryMiB: GENERAL },
  m7i: { ...seventh, memoryMiB: GENERAL },
  c5: { ...fifth, rows: C5, clockGHz: 3.4, memoryMiB: COMPUTE, current: false, except: laterC5 },
  c5d: {
    ...fifth, rows: C5, clockGHz: 3.4, memoryMiB: COMPUTE, current: true, except: laterC5,
    disks: {
      large: [1, 50], xlarge: [1, 100], '2xlarge': [1, 200], '4xlarge': [1, 400], '9xlarge': [1, 900], '12xlarge': [2, 900],
      '18xlarge': [2, 900], '24xlarge': [4, 900], metal: [4, 900],
    },
  },
  c6i: { ...sixth, memoryMiB: COMPUTE },
  c7i: { ...seventh, memoryMiB: COMPUTE },
  r5: { ...fifth, rows: M5, clockGHz: 3.1, memoryMiB: MEMORY, current: false },
  r6i: { ...sixth, memoryMiB: MEMORY },
  i3: {
    ...intel, rows: I3, hypervisor: 'xen', clockGHz: 2.3, current: true, encryptionInTransit: false,
    memoryMiB: { large: 15616, xlarge: 31232, '2xlarge': 62464, '4xlarge': 124928, '8xlarge': 249856, '16xlarge': 499712, metal: 524288 },
    disks: {
      large: [1, 475], xlarge: [1, 950], '2xlarge': [1, 1900], '4xlarge': [2, 1900], '8xlarge': [4, 1900], '16xlarge': [8, 1900],
      metal: [8, 1900],
    },
    except: { '8xlarge': { network: '10 Gigabit' } },
  },
}
