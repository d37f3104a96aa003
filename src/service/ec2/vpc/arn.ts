/** Amazon Resource Names of EC2's resources. Pure. */
export type Owned = { account: string; region: string; id: string }

/** The partition that a region's name tells (AWS General Reference, "ARN format"). */
const partition = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'

export const ec2Arn = (type: string, { account, region, id }: Owned): string =>
  `arn:${partition(region)}:ec2:${region}:${account}:${type}/${id}`
