/** What a RunInstances request says besides its network: each parameter is checked and read here, or refused by name. */
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import { metadataDefaults } from '#service/ec2/account/metadata-defaults'
import type { InstanceRow, MetadataOptions, Spec } from '#service/ec2/instance/instance'

/** EC2 User Guide, "Run commands at launch": 16 KB in raw form, before it is encoded. */
export const USER_DATA_MAX = 16_384

const bad = (value: unknown, parameter: string, why: string) =>
  new ApiError('InvalidParameterValue', `Invalid value '${value}' for ${parameter}. ${why}`)

/** Parameters that ask for what Enclume has not, and when they do. */
const refused: { [K in keyof RunInstancesRequest]?: (value: any) => boolean } = {
  KernelId: () => true,
  RamdiskId: () => true,
  ElasticGpuSpecification: list => list.length > 0,
  ElasticInferenceAccelerators: list => list.length > 0,
  InstanceMarketOptions: () => true,
  CpuOptions: o => o.CoreCount !== undefined || o.ThreadsPerCore !== undefined || o.AmdSevSnp === 'enabled' || o.NestedVirtualization === 'enabled',
  CapacityReservationSpecification: s =>
    s.CapacityReservationTarget !== undefined || s.CapacityReservationPreference === 'capacity-reservations-only',
  HibernationOptions: o => o.Configured === true,
  LicenseSpecifications: list => list.length > 0,
  EnclaveOptions: o => o.Enabled === true,
  NetworkPerformanceOptions: o => o.BandwidthWeighting !== undefined && o.BandwidthWeighting !== 'default',
  Operator: o => o.Principal !== undefined,
  SecondaryInterfaces: list => list.length > 0,
  AdditionalInfo: () => true,
  Monitoring: m => (m.MetricCategoryIds ?? []).length > 0,
  PrivateDnsNameOptions: o => o.EnableResourceNameDnsAAAARecord === true,
  EnablePrimaryIpv6: v => v === true,
  Placement: p => ['GroupName', 'GroupId', 'HostId', 'HostResourceGroupArn', 'PartitionNumber', 'Affinity', 'SpreadDomain'].some(k => p[k])
    || (p.Tenancy !== undefined && p.Tenancy !== 'default'),
}

/** Throws UnsupportedOperation for the first parameter that Enclume can't honour. */
export function refuseUnsupported(input: RunInstancesRequest): void {
  for (const [name, asks] of Object.entries(refused)) {
    const value = input[name as keyof RunInstancesRequest]
    if (value !== undefined && value !== null && asks(value)) {
      throw new ApiError('UnsupportedOperation', `Enclume does not implement the parameter ${name} of RunInstances with this value.`)
    }
  }
}

/** User data as it was given, in base64; AWS's errors for what is no base64 and for what is too long. */
export function readUserData(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined
  const text = given.replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new ApiError('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data')
  }
  if (Buffer.from(text, 'base64').length > USER_DATA_MAX) {
    throw new ApiError('InvalidParameterValue', `User data is limited to ${USER_DATA_MAX} bytes`)
  }
  return text
}

/** EC2's default type (EC2 API Reference, RunInstances) is m1.small, of a family that Enclume has not: it must be named. */
export function typeOf(input: RunInstancesRequest): string {
  if (input.InstanceType === undefined) {
    throw new ApiError('InvalidParameterValue', "Name an instance type, such as t2.micro: Enclume does not have EC2's default type, m1.small.")
  }
  return input.InstanceType
}

export function readCounts(input: RunInstancesRequest): { least: number; most: number } {
  const least = input.MinCount ?? 1
  const most = input.MaxCount ?? 1
  if (!Number.isInteger(least) || least < 1) throw bad(least, 'minCount', 'It must be a whole number of 1 or more.')
  if (!Number.isInteger(most) || most < least) throw bad(most, 'maxCount', 'It must be a whole number, not less than minCount.')
  if (most > 1000) throw new ApiError('InstanceLimitExceeded', `You have requested more instances (${most}) than may be launched at once (1000).`)
  return { least, most }
}

export type MetadataInput = {
  HttpTokens?: string; HttpEndpoint?: string; HttpPutResponseHopLimit?: number; InstanceMetadataTags?: string; HttpProtocolIpv6?: string
}

function oneOf<T extends string>(value: string | undefined, parameter: string, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  if (!(allowed as readonly string[]).includes(value)) throw bad(value, parameter, `It must be one of: ${allowed.join(', ')}.`)
  return value as T
}

/** Metadata options of a request over what was in force before. */
export function readMetadata(given: MetadataInput | undefined, before: MetadataOptions): MetadataOptions {
  const hopLimit = given?.HttpPutResponseHopLimit
  if (hopLimit !== undefined && (!Number.isInteger(hopLimit) || hopLimit < 1 || hopLimit > 64)) {
    throw bad(hopLimit, 'httpPutResponseHopLimit', 'It must be a whole number from 1 to 64.')
  }
  if (given?.HttpProtocolIpv6 === 'enabled') {
    throw new ApiError('UnsupportedOperation', 'Enclume does not implement the metadata service over IPv6.')
  }
  return {
    tokens: oneOf(given?.HttpTokens, 'httpTokens', ['optional', 'required']) ?? before.tokens,
    endpoint: oneOf(given?.HttpEndpoint, 'httpEndpoint', ['enabled', 'disabled']) ?? before.endpoint,
    hopLimit: hopLimit ?? before.hopLimit,
    tags: oneOf(given?.InstanceMetadataTags, 'instanceMetadataTags', ['enabled', 'disabled']) ?? before.tags,
  }
}

/** Where an account enforces tokens, no instance goes without (API Reference, ModifyInstanceMetadataDefaults, HttpTokensEnforced). */
export async function checkTokens({ tx, account, region }: Call<object>, { tokens }: MetadataOptions): Promise<void> {
  if (tokens === 'required' || (await metadataDefaults(tx, { account, region })).tokensEnforced !== 'enabled') return
  throw new ApiError('UnsupportedOperation', 'IMDSv1 is not possible because httpTokensEnforced is enabled for this account: use '
    + 'httpTokens=required, or change the account\'s setting by ModifyInstanceMetadataDefaults.')
}

type Plain = Pick<Spec, 'onShutdown' | 'terminationProtection' | 'stopProtection' | 'detailedMonitoring' | 'ebsOptimized' | 'credits'
  | 'autoRecovery' | 'clientToken' | 'hostnameType' | 'resourceNameRecord'>

/** The parameters that are simply kept. */
export function readPlain(input: RunInstancesRequest): Plain {
  return {
    onShutdown: oneOf(input.InstanceInitiatedShutdownBehavior, 'instanceInitiatedShutdownBehavior', ['stop', 'terminate']) ?? 'stop',
    terminationProtection: input.DisableApiTermination ?? false,
    stopProtection: input.DisableApiStop ?? false,
    detailedMonitoring: input.Monitoring?.Enabled ?? false,
    ebsOptimized: input.EbsOptimized ?? false,
    credits: readCredits(input.CreditSpecification?.CpuCredits, typeOf(input)),
    autoRecovery: oneOf(input.MaintenanceOptions?.AutoRecovery, 'autoRecovery', ['default', 'disabled']) ?? 'default',
    hostnameType: oneOf(input.PrivateDnsNameOptions?.HostnameType, 'hostnameType', ['ip-name', 'resource-name']) ?? 'ip-name',
    resourceNameRecord: input.PrivateDnsNameOptions?.EnableResourceNameDnsARecord ?? false,
    clientToken: input.ClientToken,
  }
}

export const burstable = (type: string): boolean => /^t\d/.test(type)

/** For an instance whose type earns no credits (API Reference, UnsuccessfulInstanceCreditSpecificationItemError). */
export const noCredits = ({ id, spec }: Pick<InstanceRow, 'id' | 'spec'>): ApiError =>
  new ApiError('InstanceCreditSpecification.NotSupported', `The instance '${id}' of type ${spec.type} does not use CPU credits.`)

/** EC2 User Guide, "Burstable performance instances": T2 begins as standard, T3 and later as unlimited. */
export function readCredits(given: string | undefined, type: string): Spec['credits'] {
  const asked = oneOf(given, 'cpuCredits', ['standard', 'unlimited'])
  if (!burstable(type)) {
    if (asked) throw new ApiError('InvalidParameterCombination', `The instance type ${type} does not support CPU credits.`)
    return undefined
  }
  return asked ?? (type.startsWith('t2.') ? 'standard' : 'unlimited')
}
