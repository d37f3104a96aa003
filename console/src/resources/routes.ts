/** What is done with route tables: routes, and who goes by them. */
import { call } from '../api/call'
import { instance, networkInterface, simple, subnet } from './choices'
import { nameOf, type Action, type Call, type Choice, type Field, type Form, type Item, type Values } from './kinds'

const destinationOf = (route: Item): string => route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId
/** A destination says by its looks which of the three it is. */
const destination = (given: string): object => {
  if (given.startsWith('pl-')) return { DestinationPrefixListId: given }
  return given.includes(':') ? { DestinationIpv6CidrBlock: given } : { DestinationCidrBlock: given }
}
const isLocal = (route: Item): boolean => route.GatewayId === 'local'
/** Routes of endpoints come and go with them. */
const isOwn = (route: Item): boolean => !String(route.GatewayId).startsWith('vpce-')
/** The local ones last: they are seldom meant. */
const routesOf = (table: Item, keep: (route: Item) => boolean): Choice[] =>
  [...(table.Routes ?? [])]
    .filter(keep)
    .sort((a, b) => Number(isLocal(a)) - Number(isLocal(b)))
    .map((route: Item) => ({ value: destinationOf(route), label: destinationOf(route) }))

type Kind = { member: string; from: NonNullable<Field['from']> }
const attachedTo = (gateway: Item, vpc: string): boolean => gateway.Attachments?.some((one: Item) => one.VpcId === vpc) === true
const listing = (member: string, operation: string, list: string, keep: (item: Item, vpc: string) => boolean): Kind => ({
  member,
  from: {
    operation,
    member: list,
    value: item => item[member === 'GatewayId' ? 'InternetGatewayId' : member],
    label: item => `${nameOf(item)} ${item[member === 'GatewayId' ? 'InternetGatewayId' : member]}`.trim(),
    keep: (item, { of }) => keep(item, of?.VpcId),
  },
})
const within = (item: Item, vpc: string): boolean => item.VpcId === vpc
const TARGETS: Kind[] = [
  listing('GatewayId', 'DescribeInternetGateways', 'InternetGateways', attachedTo),
  listing('NatGatewayId', 'DescribeNatGateways', 'NatGateways', within),
  listing('VpcPeeringConnectionId', 'DescribeVpcPeeringConnections', 'VpcPeeringConnections', (item, vpc) =>
    [item.RequesterVpcInfo?.VpcId, item.AccepterVpcInfo?.VpcId].includes(vpc),
  ),
  { member: 'NetworkInterfaceId', from: { ...networkInterface.from!, keep: (item, { of }) => within(item, of?.VpcId) } },
  {
    member: 'InstanceId',
    from: { ...instance.from!, keep: (item, around) => instance.from!.keep!(item, around) && within(item, around.of?.VpcId) },
  },
  listing('EgressOnlyInternetGatewayId', 'DescribeEgressOnlyInternetGateways', 'EgressOnlyInternetGateways', attachedTo),
]
const kinds = TARGETS.map(({ member }) => member)
const targetFields = (options: readonly string[]): Field[] => [
  { name: 'kind', label: 'routes.targetType', kind: 'select', options },
  ...TARGETS.map(({ member, from }): Field => ({ name: member, label: 'f.target', kind: 'select', when: values => values.kind === member, from })),
]
const target = (values: Values): object => (values.kind === 'local' ? { LocalTarget: true } : { [values.kind]: values[values.kind] })
const input = (values: Values, item: Item | undefined) => ({ RouteTableId: item?.RouteTableId, ...destination(values.cidr) })

const add: Form = {
  operation: 'CreateRoute',
  fields: [{ name: 'cidr', label: 'f.destination', hint: 'routes.destinationHint', value: '0.0.0.0/0' }, ...targetFields(kinds)],
  input: (values, item) => ({ ...input(values, item), ...target(values) }),
}
/** Where a route leads now. */
const targetNow = (cidr: string, table: Item): Values => {
  const route: Item = table.Routes?.find((one: Item) => destinationOf(one) === cidr) ?? {}
  const kind = isLocal(route) ? 'local' : kinds.find(member => route[member])
  return kind ? { kind, [kind]: route[kind] } : {}
}
const edit: Form = {
  operation: 'ReplaceRoute',
  fields: [
    { name: 'cidr', label: 'f.destination', kind: 'select', own: table => routesOf(table, isOwn), sets: targetNow },
    ...targetFields([...kinds, 'local']),
  ],
  input: (values, item) => ({ ...input(values, item), ...target(values) }),
}
const remove: Form = {
  operation: 'DeleteRoute',
  fields: [{ name: 'cidr', label: 'f.destination', kind: 'select', own: table => routesOf(table, route => isOwn(route) && !isLocal(route)) }],
  input,
}

type Held = Record<string, string>
/** By which association each has the table that it has: of subnets, or of gateways. */
async function associations(table: Item, member: 'SubnetId' | 'GatewayId'): Promise<{ chosen: string[]; held: Held }> {
  const { RouteTables } = await call('ec2', 'DescribeRouteTables', { Filters: [{ Name: 'vpc-id', Values: [table.VpcId] }] })
  const all: Item[] = RouteTables.flatMap((one: Item) => one.Associations ?? []).filter((one: Item) => one[member])
  return {
    chosen: all.filter(one => one.RouteTableId === table.RouteTableId).map(one => one[member]),
    held: Object.fromEntries(all.map(one => [one[member], one.RouteTableAssociationId])),
  }
}
/** Those that are chosen get this table, whatever they had; those that are chosen no more have none of their own. */
const associating = (member: 'SubnetId' | 'GatewayId', field: Field): Form => ({
  fields: [{ ...field, name: 'chosen', kind: 'many', optional: true }],
  start: table => associations(table, member),
  calls({ chosen, held = {} }: Values, { RouteTableId, Associations }): Call[] {
    const before: Item[] = (Associations ?? []).filter((one: Item) => one[member])
    const gone = before.filter(one => !chosen.includes(one[member]))
    const fresh = (chosen as string[]).filter(id => !before.some(one => one[member] === id))
    return [
      ...gone.map(one => ({ operation: 'DisassociateRouteTable', input: { AssociationId: one.RouteTableAssociationId } })),
      ...fresh.map(id =>
        held[id]
          ? { operation: 'ReplaceRouteTableAssociation', input: { AssociationId: held[id], RouteTableId } }
          : { operation: 'AssociateRouteTable', input: { [member]: id, RouteTableId } },
      ),
    ]
  },
})

const mainOf = (table: Item): Item | undefined => table.Associations?.find((one: Item) => one.Main)
const setMain: Form = {
  operation: 'ReplaceRouteTableAssociation',
  fields: [
    {
      name: 'before',
      label: 'routes.mainNow',
      kind: 'select',
      from: {
        operation: 'DescribeRouteTables',
        member: 'RouteTables',
        value: table => mainOf(table)!.RouteTableAssociationId,
        label: table => `${nameOf(table)} ${table.RouteTableId}`.trim(),
        keep: (table, { of }) => table.VpcId === of?.VpcId && mainOf(table) !== undefined,
      },
    },
  ],
  input: (values, item) => ({ AssociationId: values.before, RouteTableId: item?.RouteTableId }),
}

const subnetsOfVpc: Field = { ...subnet, label: 'menu.subnets', from: { ...subnet.from!, keep: (one, { of }) => one.VpcId === of?.VpcId } }
const edges: Field = { name: 'chosen', label: 'menu.igws', hint: 'routes.edgesHint', kind: 'many', from: TARGETS[0]!.from }

export const routeTableActions: Action[] = [
  { id: 'add', label: 'routes.add', form: add },
  { id: 'edit', label: 'routes.edit', form: edit },
  { id: 'remove', label: 'routes.remove', enabled: table => routesOf(table, route => isOwn(route) && !isLocal(route)).length > 0, form: remove },
  { id: 'associate', label: 'routes.subnets', form: associating('SubnetId', subnetsOfVpc) },
  { id: 'edges', label: 'routes.edges', form: associating('GatewayId', edges) },
  { id: 'main', label: 'routes.setMain', enabled: table => mainOf(table) === undefined, form: setMain },
  { id: 'delete', label: 'routes.delete', ...simple('DeleteRouteTable', 'RouteTableId'), confirm: 'plain' },
]
