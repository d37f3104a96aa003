/**
 * Names that EC2 gives to addresses and instances. Pure.
 *
 * Source: VPC User Guide, "DNS attributes for your VPC"; EC2 User Guide, "Amazon EC2 instance hostname types".
 */
export type HostnameType = 'ip-name' | 'resource-name'

const dashed = (address: string): string => address.replaceAll('.', '-')

/** The domain of private names, which the default DHCP options hand out too. */
export const privateDomain = (region: string): string => (region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`)

/** The domain of public names. */
export const publicDomain = (region: string): string => `${region === 'us-east-1' ? 'compute-1' : `${region}.compute`}.amazonaws.com`

/** `ec2-198-18-0-7.compute-1.amazonaws.com`. */
export const publicName = (region: string, address: string): string => `ec2-${dashed(address)}.${publicDomain(region)}`

/** `ip-172-31-0-10`. */
export const ipHost = (address: string): string => `ip-${dashed(address)}`

/** `ip-172-31-0-10.ec2.internal`. */
export const ipName = (region: string, address: string): string => `${ipHost(address)}.${privateDomain(region)}`

/** `i-0123456789abcdef0.ec2.internal`. */
export const resourceName = (region: string, instance: string): string => `${instance}.${privateDomain(region)}`

export type Hosted = { region: string; address: string; type: HostnameType; instance: string | undefined }

/** The host name without its domain; a resource name needs an instance to be named after. */
export const hostname = ({ address, type, instance }: Omit<Hosted, 'region'>): string =>
  type === 'resource-name' && instance !== undefined ? instance : ipHost(address)

/** An instance's private DNS name. */
export const privateName = ({ region, ...of }: Hosted): string => `${hostname(of)}.${privateDomain(region)}`
