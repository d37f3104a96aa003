/** Everything that one instance can ask about itself, as plain data. Whoever knows the records fills it in; the tree shows it. */

export type MetadataInterface = {
  interfaceId: string
  mac: string
  deviceNumber: number
  ownerId: string
  subnetId: string
  subnetCidr: string
  vpcId: string
  /** The VPC's blocks, the primary first. */
  vpcCidrs: string[]
  /** IPv6: of the interface, of its subnet, of the VPC. */
  ipv6s?: string[]
  subnetCidrs6?: string[]
  vpcCidrs6?: string[]
  securityGroups: { id: string; name: string }[]
  localHostname: string
  /** The primary first. */
  privateIps: string[]
  /** Public addresses, each with the private one it leads to; `hostname` where the VPC gives names. */
  publicIps: { ip: string; privateIp: string; hostname?: string }[]
}

export type RoleCredentials = { accessKeyId: string; secretAccessKey: string; token: string; lastUpdated: string; expiration: string }

export type Metadata = {
  instanceId: string
  accountId: string
  region: string
  zone: string
  zoneId: string
  /** 'aws' and 'amazonaws.com', or another partition's. */
  partition: string
  domain: string
  imageId: string
  instanceType: string
  architecture: string
  /** 'nitro' or 'xen'; bare metal has none. */
  hypervisor?: string
  launchIndex: number
  reservationId: string
  lifecycle: 'on-demand' | 'spot'
  /** When the instance last went to pending, to the second. */
  pendingTime: Date
  hostname: string
  /** By device number; the first is the primary. */
  interfaces: [MetadataInterface, ...MetadataInterface[]]
  /** What the block device mapping was at launch: 'ami', 'root', 'ebs1', 'ephemeral0' … to a device's name. */
  blockDevices: Record<string, string>
  /** OpenSSH lines, in order. */
  keys: { name: string; openSsh: string }[]
  /** OpenSSH lines that EC2 Instance Connect offers right now, by the user of the instance's. */
  connectKeys?: Record<string, string[]>
  /** As the user gave them, decoded. */
  userData?: Uint8Array
  detailedMonitoring: boolean
  placementGroup?: string
  /** The instance profile's role; without credentials none are offered. */
  role?: {
    name: string; profileArn: string; profileId: string; lastUpdated: string; credentials?: RoleCredentials
    /** Its trust policy does not name EC2, which says so in the credentials' place. */
    untrusted?: boolean
  }
  /** Present only when the instance's tags are shown in its metadata. */
  tags?: Record<string, string>
  spot?: { instanceAction?: { action: string; time: string }; terminationTime?: string }
  /** Metadata options that the server keeps to; the hop limit is the network's affair. */
  options: { endpointEnabled: boolean; tokensRequired: boolean }
}
