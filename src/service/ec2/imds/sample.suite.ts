/** One instance's metadata for the tests of this folder: as a launch in the default VPC has it, with two interfaces. */
import type { Metadata } from '#service/ec2/imds/metadata'
import { createSigner, openSigner, type Signer } from '#service/ec2/imds/signer'

export const launched = new Date('2026-01-02T03:04:05.678Z')

export const sample = (more: Partial<Metadata> = {}): Metadata => ({
  instanceId: 'i-0123456789abcdef0', accountId: '123456789012', region: 'us-east-1', zone: 'us-east-1a', zoneId: 'use1-az1',
  partition: 'aws', domain: 'amazonaws.com', imageId: 'ami-0123456789abcdef0', instanceType: 't2.micro', architecture: 'x86_64',
  hypervisor: 'xen', launchIndex: 0, reservationId: 'r-0123456789abcdef0', lifecycle: 'on-demand', pendingTime: launched,
  hostname: 'ip-172-31-0-4.ec2.internal',
  interfaces: [
    {
      interfaceId: 'eni-1', mac: '0e:00:00:00:00:01', deviceNumber: 0, ownerId: '123456789012', subnetId: 'subnet-1',
      subnetCidr: '172.31.0.0/20', vpcId: 'vpc-1', vpcCidrs: ['172.31.0.0/16'],
      securityGroups: [{ id: 'sg-1', name: 'default' }, { id: 'sg-2', name: 'web' }],
      localHostname: 'ip-172-31-0-4.ec2.internal', privateIps: ['172.31.0.4', '172.31.0.5'],
      publicIps: [{ ip: '198.18.0.9', privateIp: '172.31.0.4', hostname: 'ec2-198-18-0-9.compute-1.amazonaws.com' }],
    },
    {
      interfaceId: 'eni-2', mac: '0e:00:00:00:00:02', deviceNumber: 1, ownerId: '123456789012', subnetId: 'subnet-1',
      subnetCidr: '172.31.0.0/20', vpcId: 'vpc-1', vpcCidrs: ['172.31.0.0/16'], securityGroups: [{ id: 'sg-1', name: 'default' }],
      localHostname: 'ip-172-31-0-6.ec2.internal', privateIps: ['172.31.0.6'], publicIps: [],
    },
  ],
  blockDevices: { ami: '/dev/xvda', root: '/dev/xvda' }, keys: [{ name: 'votre-cle', openSsh: 'ssh-ed25519 AAAA votre-cle' }],
  userData: Buffer.from([0x23, 0x21, 0x0a, 0xff, 0x00]), detailedMonitoring: false,
  options: { endpointEnabled: true, tokensRequired: false },
  ...more,
})

let made: Signer | undefined
/** One signer for all tests of a process: making a key takes time. */
export const signer = (): Signer => (made ??= openSigner(createSigner(launched)))
