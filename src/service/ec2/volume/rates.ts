/**
 * What a volume's type lets it do in a second: the figures that the engine holds its disk to. Pure.
 *
 * EBS User Guide, "Amazon EBS volume types" (General Purpose SSD, Provisioned IOPS SSD, HDD, Previous generation). A type that bursts on
 * credits has its burst rate here; credits.ts says when it sinks to the baseline.
 */
import type { DiskLimits } from '#engine/port'
import { gp2Iops } from '#service/ec2/volume/limits'
import type { Shape } from '#service/ec2/volume/volume'

const MIB = 1024 * 1024
const TIB_IN_GIB = 1024
const rate = (iops: number, mebibytes: number): DiskLimits => ({ iops: Math.round(iops), bytesPerSecond: Math.round(mebibytes * MIB) })

/** HDD types are made for throughput; their I/O operations are counted in pieces of up to 1 MiB. */
function hdd({ sizeGiB }: Shape, { burstPerTiB, most }: { burstPerTiB: number; most: number }): DiskLimits {
  const mebibytes = Math.min(most, sizeGiB / TIB_IN_GIB * burstPerTiB)
  return { bytesPerSecond: Math.round(mebibytes * MIB) }
}

const rates: Record<Shape['type'], (shape: Shape) => DiskLimits> = {
  // Below 1,000 GiB it bursts to 3,000; 128 MiB/s up to 170 GiB, then up to 250.
  gp2: ({ sizeGiB }) => rate(Math.max(3000, gp2Iops(sizeGiB)), sizeGiB <= 170 ? 128 : 250),
  gp3: ({ iops = 3000, throughput = 125 }) => rate(iops, throughput),
  // 256 KiB each up to 500 MiB/s; above 32,000 IOPS 16 KiB each, up to 1,000.
  io1: ({ iops = 100 }) => rate(iops, iops <= 32_000 ? Math.min(500, iops / 4) : Math.min(1000, iops / 64)),
  // 256 KiB each up to 4,000 MiB/s (io2 Block Express).
  io2: ({ iops = 100 }) => rate(iops, Math.min(4000, iops / 4)),
  st1: shape => hdd(shape, { burstPerTiB: 250, most: 500 }),
  sc1: shape => hdd(shape, { burstPerTiB: 80, most: 250 }),
  // "40-200 IOPS" and "40-90 MiB/s", with a burst of hundreds: the upper ends.
  standard: () => rate(200, 90),
}

export const ratesOf = (shape: Shape): DiskLimits => rates[shape.type](shape)
