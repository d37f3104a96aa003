/** What may be asked and set of an account in a region. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { InstanceMetadataDefaultsResponse } from '@aws-sdk/client-ec2'
import type { Actions, Place } from '#kit/action'
import { putSerialConsole, serialConsole } from '#service/ec2/account/serial-console'
import { invalidValue } from '#service/ec2/errors'
import { metadataDefaults, putMetadataDefaults, type MetadataDefaults } from '#service/ec2/account/metadata-defaults'
import type { Reader } from '#store/store'

/** VPC User Guide, "Amazon VPC quotas": groups for each interface, and Elastic IPs. */
const GROUPS_PER_INTERFACE = 5
const ELASTIC_IPS = 5
/** AWS answers this to every account and says that it is no limit any more (API Reference, DescribeAccountAttributes). */
const MAX_INSTANCES = 20
const MAX_HOPS = 64
const NO_HOPS = -1

export type AccountOptions = {
  /** The id of the region's default VPC, if there is one. */
  defaultVpc(reader: Reader, place: Place): Promise<string | undefined>
}

/** The value chosen: what was before where nothing is given, none for 'no-preference', else one of `allowed`. */
function choice<T extends string>(name: string, given: string | undefined, allowed: readonly T[], before: T | undefined): T | undefined {
  if (given === undefined) return before
  if (given === 'no-preference') return undefined
  if (!(allowed as readonly string[]).includes(given)) throw invalidValue(name, given)
  return given as T
}

function hops(given: number | undefined, before: number | undefined): number | undefined {
  if (given === undefined) return before
  if (given === NO_HOPS) return undefined
  if (!Number.isInteger(given) || given < 1 || given > MAX_HOPS) {
    throw invalidValue('httpPutResponseHopLimit', given, `It must be ${NO_HOPS} or from 1 to ${MAX_HOPS}.`)
  }
  return given
}

const SWITCH = ['enabled', 'disabled'] as const

function shown(defaults: MetadataDefaults): InstanceMetadataDefaultsResponse {
  if (Object.keys(defaults).length === 0) return {}
  return {
    HttpTokens: defaults.httpTokens, HttpPutResponseHopLimit: defaults.hopLimit, HttpEndpoint: defaults.httpEndpoint,
    InstanceMetadataTags: defaults.instanceTags, HttpTokensEnforced: defaults.tokensEnforced, ManagedBy: 'account',
  }
}

export function actions({ defaultVpc }: AccountOptions): Actions<typeof sdk> {
  return {
    async DescribeAccountAttributes({ input: { AttributeNames: asked = [] }, tx, account, region }) {
      const values: Record<string, string> = {
        'supported-platforms': 'VPC', 'default-vpc': (await defaultVpc(tx, { account, region })) ?? 'none',
        'max-instances': `${MAX_INSTANCES}`, 'vpc-max-security-groups-per-interface': `${GROUPS_PER_INTERFACE}`,
        'max-elastic-ips': `${ELASTIC_IPS}`, 'vpc-max-elastic-ips': `${ELASTIC_IPS}`,
      }
      const names: readonly string[] = asked
      const unknown = names.find(name => !Object.hasOwn(values, name))
      if (unknown !== undefined) throw invalidValue('attributeName', unknown)
      return {
        AccountAttributes: Object.entries(values).filter(([name]) => names.length === 0 || names.includes(name))
          .map(([AttributeName, AttributeValue]) => ({ AttributeName, AttributeValues: [{ AttributeValue }] })),
      }
    },

    async GetInstanceMetadataDefaults({ tx, account, region }) {
      return { AccountLevel: shown(await metadataDefaults(tx, { account, region })) }
    },

    async ModifyInstanceMetadataDefaults({ input, tx, account, region, now }) {
      const before = await metadataDefaults(tx, { account, region })
      const after: MetadataDefaults = {
        httpTokens: choice('httpTokens', input.HttpTokens, ['optional', 'required'], before.httpTokens),
        hopLimit: hops(input.HttpPutResponseHopLimit, before.hopLimit),
        httpEndpoint: choice('httpEndpoint', input.HttpEndpoint, SWITCH, before.httpEndpoint),
        instanceTags: choice('instanceMetadataTags', input.InstanceMetadataTags, SWITCH, before.instanceTags),
        tokensEnforced: choice('httpTokensEnforced', input.HttpTokensEnforced, SWITCH, before.tokensEnforced),
      }
      await putMetadataDefaults(tx, { account, region }, now, after)
      return { Return: true }
    },

    /** Volumes are not encrypted, and nothing makes them so yet. */
    GetEbsEncryptionByDefault: { look: async () => ({ EbsEncryptionByDefault: false }) },
    DisableEbsEncryptionByDefault: { look: async () => ({ EbsEncryptionByDefault: false }) },
    GetSerialConsoleAccessStatus: {
      look: async ({ reader, ...place }) => ({ SerialConsoleAccessEnabled: await serialConsole(reader, place), ManagedBy: 'account' }),
    },
    async EnableSerialConsoleAccess({ tx, account, region, now }) {
      return { SerialConsoleAccessEnabled: await putSerialConsole(tx, { account, region }, now, true) }
    },
    async DisableSerialConsoleAccess({ tx, account, region, now }) {
      return { SerialConsoleAccessEnabled: await putSerialConsole(tx, { account, region }, now, false) }
    },
  }
}
