/**
 * How much AWS lets an account ask of each EC2 action in a Region: tokens in a bucket, and tokens that come each second. Figures only.
 *
 * Source: "Request throttling for the Amazon EC2 API", https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: the tables of
 * request token buckets by category, of uncategorized actions, and of resource token buckets. An action that no table names has its category's.
 * DeleteCoipPoolPermission, which it names too, is no action of the API.
 */
import type { Rate } from '#base/buckets'

const rate = (size: number, perSecond: number): Rate => ({ size, perSecond })
const named = (names: string): string[] => names.trim().split(/\s+/)

export const CATEGORIES = {
  nonMutating: rate(100, 20),
  unfiltered: rate(50, 10),
  mutating: rate(50, 5),
  resourceIntensive: rate(50, 5),
  consoleNonMutating: rate(100, 10),
}

/** Those that have the smaller bucket when asked for everything at once. */
export const UNFILTERED: ReadonlySet<string> = new Set(named(`
  DescribeInstances DescribeInstanceStatus DescribeNetworkInterfaces DescribeSecurityGroups DescribeSnapshots DescribeSpotInstanceRequests
  DescribeVolumes`))

export const RESOURCE_INTENSIVE: ReadonlySet<string> = new Set(named(`
  AcceptVpcPeeringConnection AuthorizeSecurityGroupIngress CancelSpotInstanceRequests CreateKeyPair CreateVpcPeeringConnection
  DeleteVpcPeeringConnection RejectVpcPeeringConnection RevokeSecurityGroupIngress RequestSpotInstances`))

const uncategorized: [Rate, string][] = [
  [rate(100, 13), 'DescribeSpotDatafeedSubscription'],
  [rate(100, 10), 'CreateTags DeleteTags'],
  [rate(100, 5), `
    AssignIpv6Addresses AssignPrivateIpAddresses AssociateIamInstanceProfile CreateLaunchTemplateVersion CreateNetworkInterface CreateSnapshot
    CreateSnapshots CreateVolume DeleteNetworkInterface DeleteSnapshot DeleteVolume DeregisterImage DescribeSpotFleetInstances
    DescribeSpotFleetRequestHistory DisassociateIamInstanceProfile ModifyImageAttribute ModifyInstanceMetadataOptions ModifyLaunchTemplate
    ModifyNetworkInterfaceAttribute ModifySnapshotAttribute TerminateInstances UnassignPrivateIpAddresses`],
  [rate(100, 1), 'CopyImage'],
  [rate(50, 3), 'CreateSpotDatafeedSubscription DeleteSpotDatafeedSubscription DescribeSpotFleetRequests'],
  [rate(50, 0.5), 'DescribeStoreImageTasks'],
  [rate(50, 0.1), 'CreateRestoreImageTask CreateStoreImageTask'],
  [rate(20, 5), 'DescribeSecurityGroupReferences DescribeStaleSecurityGroups'],
  [rate(20, 4), `
    CreateVerifiedAccessEndpoint DeleteVerifiedAccessEndpoint ModifyVerifiedAccessEndpoint ModifyVerifiedAccessEndpointPolicy
    ModifyVerifiedAccessGroupPolicy`],
  [rate(10, 10), `
    DescribeAggregateIdFormat DescribeIdentityIdFormat DescribeIdFormat DescribePrincipalIdFormat DescribeReservedInstancesOfferings`],
  [rate(10, 2), `
    AttachVerifiedAccessTrustProvider CreateVerifiedAccessGroup CreateVerifiedAccessInstance CreateVerifiedAccessTrustProvider
    DeleteVerifiedAccessGroup DeleteVerifiedAccessInstance DeleteVerifiedAccessTrustProvider DescribeVerifiedAccessInstanceLoggingConfigurations
    DetachVerifiedAccessTrustProvider ModifyVerifiedAccessGroup ModifyVerifiedAccessInstance ModifyVerifiedAccessInstanceLoggingConfiguration
    ModifyVerifiedAccessTrustProvider`],
  [rate(10, 1), `
    AcceptVpcEndpointConnections AssignPrivateNatGatewayAddress AssociateEnclaveCertificateIamRole AssociateNatGatewayAddress CreateNatGateway
    CreateVpcEndpointServiceConfiguration DeleteNatGateway DeleteVpcEndpointServiceConfigurations DisassociateEnclaveCertificateIamRole
    DisassociateNatGatewayAddress GetAssociatedEnclaveCertificateIamRoles ModifyVpcEndpointServiceConfiguration RejectVpcEndpointConnections
    UnassignPrivateNatGatewayAddress`],
  [rate(10, 0.15), `
    DescribeCapacityBlockExtensionOfferings DescribeCapacityBlockOfferings PurchaseCapacityBlock PurchaseCapacityBlockExtension`],
  [rate(5, 5), `
    DeleteQueuedReservedInstances DescribeDeclarativePoliciesReports GetDeclarativePoliciesReportSummary PurchaseReservedInstancesOffering`],
  [rate(5, 2), `
    AuthorizeClientVpnIngress CreateClientVpnRoute DeleteClientVpnRoute DescribeHostReservationOfferings DescribeHostReservations
    DisableFastLaunch EnableFastLaunch GetHostReservationPurchasePreview PurchaseHostReservation RevokeClientVpnIngress RunInstances
    StartInstances`],
  [rate(5, 1), `
    CreateCoipCidr CreateCoipPool CreateSubnetCidrReservation DeleteCoipCidr DeleteCoipPool DeleteSubnetCidrReservation`],
  [rate(4, 0.3), 'CreateVpcEndpoint DeleteVpcEndpoints ModifyVpcEndpoint'],
  [rate(2, 2), 'ModifyInstanceMetadataDefaults'],
  [rate(1, 1), `
    CancelDeclarativePoliciesReport CreateDefaultSubnet CreateDefaultVpc DescribeInstanceTopology DescribeMovingAddresses MoveAddressToVpc
    RestoreAddressToClassic StartDeclarativePoliciesReport`],
  [rate(1, 0.5), 'AssociateCapacityReservationBillingOwner DescribeByoipCidrs DisassociateCapacityReservationBillingOwner'],
  [rate(1, 0.1), `
    AdvertiseByoipCidr DeprovisionByoipCidr DisableImageBlockPublicAccess DisableSnapshotBlockPublicAccess EnableImageBlockPublicAccess
    EnableSnapshotBlockPublicAccess ProvisionByoipCidr WithdrawByoipCidr`],
]

/** Actions with a bucket unlike their category's. */
export const UNCATEGORIZED: ReadonlyMap<string, Rate> =
  new Map(uncategorized.flatMap(([own, names]) => named(names).map(name => [name, own] as const)))

/** Actions that take a token for each instance besides. */
export const RESOURCES: ReadonlyMap<string, Rate> = new Map([
  ['RunInstances', rate(1000, 2)],
  ['StartInstances', rate(1000, 2)],
  ['StopInstances', rate(1000, 20)],
  ['TerminateInstances', rate(1000, 20)],
])
