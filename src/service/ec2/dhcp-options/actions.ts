/** What may be asked of sets of DHCP options. */
import { parseIp } from '#base/cidr'
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { hasDependencies, invalidValue, missingParameter } from '#service/ec2/errors'
import { dhcpOptions, OWN_RESOLVER, type Option, type Spec } from '#service/ec2/dhcp-options/dhcp-options'
import { vpc } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

const isAddress = (text: string): boolean => parseIp(text) !== undefined
const DOMAIN = /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i
/** How many values each option may have, and which (API Reference, CreateDhcpOptions). */
const known: Record<Option, { most: number; allows(value: string): boolean }> = {
  // Several domains are one text with blanks between, as Linux takes them (API Reference, CreateDhcpOptions).
  'domain-name': { most: 1, allows: text => text.split(' ').every(name => name.length <= 253 && DOMAIN.test(name)) },
  'domain-name-servers': { most: 4, allows: server => server === OWN_RESOLVER || isAddress(server) },
  'ntp-servers': { most: 4, allows: isAddress },
  'netbios-name-servers': { most: 4, allows: isAddress },
  'netbios-node-type': { most: 1, allows: type => ['1', '2', '4', '8'].includes(type) },
}

/** The options of a request, each once, in its order. */
function readOptions(given: readonly sdk.NewDhcpConfiguration[]): Spec['options'] {
  if (given.length === 0) throw missingParameter('dhcpConfigurationSet')
  const options = given.map(({ Key, Values = [] }) => {
    if (Key === undefined) throw missingParameter('dhcpConfiguration.key')
    if (!Object.hasOwn(known, Key)) throw invalidValue('dhcpConfiguration.key', Key, 'Unknown DHCP option.')
    const key = Key as Option
    if (Values.length === 0) throw missingParameter('dhcpConfiguration.value')
    if (Values.length > known[key].most) throw invalidValue(key, Values.join(', '), `At most ${known[key].most} values.`)
    const wrong = Values.find(value => !known[key].allows(value))
    if (wrong !== undefined) throw invalidValue(key, wrong)
    return { key, values: Values }
  })
  if (new Set(options.map(option => option.key)).size < options.length) {
    throw new ApiError('InvalidParameterValue', 'A DHCP option can be given only once.')
  }
  return options
}

export const actions: Actions<typeof sdk> = {
  DescribeDhcpOptions: describe(dhcpOptions, 'DhcpOptionsIds', 'DhcpOptions'),

  async CreateDhcpOptions({ input, account, region, tx, now, tags }) {
    const options = readOptions(input.DhcpConfigurations!)
    const row = await tx.put(dhcpOptions.make({ account, region, now, tags: tags('dhcp-options'), spec: { options }, status: {} }), 'created')
    return { DhcpOptions: dhcpOptions.view(row, undefined) }
  },

  async DeleteDhcpOptions({ input, account, region, tx }) {
    const row = await dhcpOptions.get(tx, { account, region }, input.DhcpOptionsId!)
    const vpcs = await vpc.list(tx, { account, region })
    if (vpcs.some(({ spec }) => spec.dhcpOptions === row.id)) throw hasDependencies('dhcpOptions', row.id)
    await tx.remove(row, 'deleted')
    return {}
  },

  /** 'default' is no options at all (API Reference, AssociateDhcpOptions). */
  async AssociateDhcpOptions({ input, account, region, tx }) {
    const place = { account, region }
    const id = input.DhcpOptionsId!
    const options = id === 'default' ? id : (await dhcpOptions.get(tx, place, id)).id
    const row = await vpc.get(tx, place, input.VpcId!)
    await vpc.update(tx, row, { spec: { dhcpOptions: options } }, 'dhcp-options-associated')
    return {}
  },
}
