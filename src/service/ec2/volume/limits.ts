/**
 * What each EBS volume type allows and what it has by default.
 * Sizes and rates: EC2 API Reference, CreateVolume (model of SDK 3.1169); ratios: EBS User Guide, "Amazon EBS volume types".
 * Texts: seen on AWS in fog-aws issue 186 (size), rocicorp/mono pull request 4410 (IOPS a GiB), runs-on issue 260 (throughput),
 * velero-plugin-for-aws pull request 119 (IOPS missing).
 */
import { ApiError } from '#kit/error'
import { invalidCombination, invalidValue } from '#service/ec2/errors'
import type { Spec } from '#service/ec2/volume/volume'

export type VolumeType = Spec['type']
type Range = { least: number; most: number }
type Limits = {
  sizeGiB: Range
  /** What may be provisioned; absent: nothing may. */
  iops?: Range & { perGiB: number; default?: number }
  /** MiB/s. */
  throughput?: Range & { perIops: number; default: number }
  /** Whether a machine can boot from it. */
  bootable: boolean
}

export const LIMITS: Record<VolumeType, Limits> = {
  gp2: { sizeGiB: { least: 1, most: 16_384 }, bootable: true },
  gp3: {
    sizeGiB: { least: 1, most: 65_536 }, bootable: true,
    iops: { least: 3000, most: 80_000, perGiB: 500, default: 3000 }, throughput: { least: 125, most: 2000, perIops: 0.25, default: 125 },
  },
  io1: { sizeGiB: { least: 4, most: 16_384 }, iops: { least: 100, most: 64_000, perGiB: 50 }, bootable: true },
  io2: { sizeGiB: { least: 4, most: 65_536 }, iops: { least: 100, most: 256_000, perGiB: 1000 }, bootable: true },
  st1: { sizeGiB: { least: 125, most: 16_384 }, bootable: false },
  sc1: { sizeGiB: { least: 125, most: 16_384 }, bootable: false },
  standard: { sizeGiB: { least: 1, most: 1024 }, bootable: true },
}

/** gp2's rate follows its size: three a GiB, between 100 and 16,000. */
export const gp2Iops = (sizeGiB: number): number => Math.min(16_000, Math.max(100, sizeGiB * 3))

/** The type of this name, or AWS's error. */
export function volumeType(name: string): VolumeType {
  if (!Object.hasOwn(LIMITS, name)) {
    throw invalidValue('volumeType', name, `There is no volume type ${name}.`)
  }
  return name as VolumeType
}

export type Asked = { type: VolumeType; sizeGiB: number; iops?: number; throughput?: number }

/** What a volume asked for will have, with the type's defaults; AWS's error for what the type does not allow. */
export function provision({ type, sizeGiB, iops, throughput }: Asked): Pick<Asked, 'iops' | 'throughput'> {
  const limits = LIMITS[type]
  const size = (bound: string) => new ApiError('InvalidParameterValue', `Volume of ${sizeGiB}GiB is ${bound}GiB`)
  if (!Number.isInteger(sizeGiB) || sizeGiB < limits.sizeGiB.least) {
    throw size(`too small for volume type ${type}; minimum is ${limits.sizeGiB.least}`)
  }
  if (sizeGiB > limits.sizeGiB.most) throw size(`too large for volume type ${type}; maximum is ${limits.sizeGiB.most}`)
  const rate = iopsOf({ type, sizeGiB, iops })
  return { iops: rate, throughput: throughputOf({ type, throughput, iops: rate }) }
}

function iopsOf({ type, sizeGiB, iops }: Pick<Asked, 'type' | 'sizeGiB' | 'iops'>): number | undefined {
  const limits = LIMITS[type].iops
  if (!limits) {
    if (iops !== undefined) throw invalidCombination(`The parameter iops is not supported for ${type} volumes.`)
    return undefined
  }
  const rate = iops ?? limits.default
  if (rate === undefined) throw invalidCombination(`The parameter iops must be specified for ${type} volumes.`)
  within('Volume iops', rate, limits)
  // The default comes with any size.
  if (rate !== limits.default && rate / sizeGiB > limits.perGiB) {
    throw new ApiError('InvalidParameterValue',
      `Iops to volume size ratio of ${(rate / sizeGiB).toFixed(6)} is too high; maximum is ${limits.perGiB}`)
  }
  return rate
}

function throughputOf({ type, throughput, iops = 0 }: Pick<Asked, 'type' | 'throughput' | 'iops'>): number | undefined {
  const limits = LIMITS[type].throughput
  if (!limits) {
    if (throughput !== undefined) throw invalidCombination(`The parameter throughput is not supported for ${type} volumes.`)
    return undefined
  }
  const rate = throughput ?? limits.default
  within('Volume throughput', rate, limits)
  if (rate / iops > limits.perIops) {
    throw new ApiError('InvalidParameterValue', `Throughput (MiBps) to iops ratio of ${(rate / iops).toFixed(6)} is too high; `
      + `maximum is ${limits.perIops.toFixed(6)} MiBps per iops`)
  }
  return rate
}

function within(what: string, rate: number, { least, most }: Range): void {
  if (!Number.isInteger(rate) || rate < least) {
    throw new ApiError('InvalidParameterValue', `${what} of ${rate} is too low; minimum is ${least}.`)
  }
  if (rate > most) throw new ApiError('InvalidParameterValue', `${what} of ${rate} is too high; maximum is ${most}.`)
}
