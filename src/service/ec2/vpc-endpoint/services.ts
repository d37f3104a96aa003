/**
 * What VPC endpoints can be made for: the services that are served here, as far as AWS has endpoints for them. Pure.
 *
 * Source: PrivateLink Guide, "AWS services that integrate with AWS PrivateLink"; IAM's endpoint is in us-east-1 alone (IAM User Guide,
 * "Interface VPC endpoints").
 */
import { zonesOf } from '#service/ec2/context'
import { s3Service } from '#service/ec2/prefix-list/managed'
import { zoneId } from '#service/ec2/region/region'
import type * as sdk from '@aws-sdk/client-ec2'

export type EndpointType = 'Gateway' | 'Interface'
export type EndpointService = {
  /** As requests name it. */
  name: string
  /** Its word in names of endpoints. */
  word: string
  types: readonly EndpointType[]
  /** Names of the service's own that private DNS takes over; `*.`: and all below. */
  hosts: readonly string[]
  /** Which service of the API answers. */
  id: string
}

/** Words in names of Regions' services, and whose they are where that is another. */
const regional: Record<string, string | undefined> = {
  cloudtrail: undefined, dlm: undefined, ebs: undefined, ec2: undefined, ec2messages: 'ssm', s3: undefined, ssm: undefined, ssmmessages: 'ssm',
  monitoring: undefined, sts: undefined, tagging: undefined,
}
const IAM: EndpointService = { name: 'com.amazonaws.iam', word: 'iam', types: ['Interface'], hosts: ['iam.amazonaws.com'], id: 'iam' }

export const endpointServices = (region: string): EndpointService[] => [
  ...Object.entries(regional).map(([word, id = word]): EndpointService => ({
    name: `com.amazonaws.${region}.${word}`, word, id, types: word === 's3' ? ['Gateway', 'Interface'] : ['Interface'],
    hosts: [`${word === 's3' ? '*.' : ''}${word}.${region}.amazonaws.com`],
  })),
  ...region === 'us-east-1' ? [IAM] : [],
]

export const isS3 = ({ spec, region }: { spec: { service: string }; region: string }): boolean => spec.service === s3Service(region)

/** Of a service whose endpoint is there. */
export const serviceNamed = (region: string, name: string): EndpointService | undefined => endpointServices(region).find(one => one.name === name)

/** A wildcard's own name is written beside it. */
export const written = (host: string): string[] => (host.startsWith('*.') ? [host.slice(2), host] : [host])

/** As DescribeVpcEndpointServices shows them: a service of two types is shown twice. */
export const details = (region: string): sdk.ServiceDetail[] =>
  endpointServices(region).flatMap(service => service.types.map(type => detailOf(region, service, type)))

const detailOf = (region: string, { name, word, hosts }: EndpointService, type: EndpointType): sdk.ServiceDetail => ({
  ServiceName: name, ServiceType: [{ ServiceType: type }], ServiceRegion: region, AvailabilityZones: zonesOf(region),
  AvailabilityZoneIds: zonesOf(region).map(zoneId), Owner: 'amazon',
  BaseEndpointDnsNames: [type === 'Gateway' ? `${word}.${region}.amazonaws.com` : `${word}.${region}.vpce.amazonaws.com`],
  ...(type === 'Interface' && {
    PrivateDnsName: written(hosts[0]!)[0], PrivateDnsNames: hosts.flatMap(written).map(PrivateDnsName => ({ PrivateDnsName })),
    PrivateDnsNameVerificationState: 'verified' as const,
  }),
  VpcEndpointPolicySupported: true, AcceptanceRequired: false, ManagesVpcEndpoints: false, Tags: [], SupportedIpAddressTypes: ['ipv4'],
})
