/** What may be asked of VPC peering connections. */
import { overlaps, parseCidr } from '#base/cidr'
import type { Actions, Call, Place } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import { missingParameter, unsupported } from '#service/ec2/errors'
import { getPeering, isLinked, peering, sidesOf, visiblePeerings, type PeeringRow, type Side, type Spec } from '#service/ec2/vpc-peering/peering'
import { SHOWN_MS } from '#service/ec2/vpc-peering/plan'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'
import { isIn, peerings } from '#service/ec2/states'
import type * as sdk from '@aws-sdk/client-ec2'

/** "If no action is taken within 7 days, the request expires" (VPC Peering Guide, lifecycle). */
const PENDING_MS = 7 * 24 * 3_600_000
const after = (now: Date, ms: number): string => new Date(now.getTime() + ms).toISOString()

/** The VPC that a side names, if it is there. */
async function vpcOf(reader: Reader, side: Omit<Side, 'remoteDns'>): Promise<VpcRow | undefined> {
  const row = await vpc.find(reader, side.vpc)
  return row && row.account === side.account && row.region === side.region && !vpc.gone?.(row) ? row : undefined
}

const doOverlap = (a: VpcRow, b: VpcRow): boolean =>
  a.spec.cidrs.some(mine => b.spec.cidrs.some(other => overlaps(parseCidr(mine.cidr)!, parseCidr(other.cidr)!)))

const WRONG = 'Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range'

async function create(call: Call<sdk.CreateVpcPeeringConnectionRequest>): Promise<PeeringRow> {
  const { input, tx, account, region, now } = call
  const own = await vpc.get(tx, call, input.VpcId!)
  if (input.PeerVpcId === undefined) throw missingParameter('peerVpcId')
  vpc.checkId(input.PeerVpcId)
  const accepter = { account: input.PeerOwnerId ?? account, region: input.PeerRegion ?? region, vpc: input.PeerVpcId, remoteDns: false }
  const spec: Spec = { requester: { account, region, vpc: own.id, remoteDns: false }, accepter }
  const other = await vpcOf(tx, accepter)
  // Whose account or VPC is wrong hears of it as AWS's requesters do: by a connection that has failed.
  const isWrong = !other || other.id === own.id || doOverlap(own, other)
  const status = isWrong
    ? { state: 'failed' as const, message: WRONG, until: after(now, SHOWN_MS.failed) }
    : { state: 'pending-acceptance' as const, message: `Pending Acceptance by ${accepter.account}`, until: after(now, PENDING_MS) }
  return tx.put(peering.make({ account, region, now, tags: call.tags('vpc-peering-connection'), spec, status }), 'requested')
}

const isAt = (side: Side, { account, region }: Place): boolean => side.account === account && side.region === region
const notPermitted = (message: string): ApiError => new ApiError('OperationNotPermitted', message)

/** Text: hashicorp/terraform#7465. */
const noTransition = ({ id, status }: PeeringRow, to: string): ApiError =>
  new ApiError('InvalidStateTransition', `Invalid state transition for ${id}, attempted to transition from ${status.state} to ${to}`)

/** A request that waits for the caller, who must have the accepter's side of it. */
async function requestTo(call: Call<{ VpcPeeringConnectionId?: string }>, verb: string, to: string): Promise<PeeringRow> {
  const row = await getPeering(call.tx, call, call.input.VpcPeeringConnectionId!)
  if (!isAt(row.spec.accepter, call)) throw notPermitted(`User ${call.account} cannot ${verb} peering ${row.id}`)
  if (!isIn(to === 'rejected' ? peerings.reject : peerings.accept, row.status.state)) throw noTransition(row, to)
  return row
}

/** Text of the double: terraform-provider-aws#44315. */
async function checkPair(tx: Tx, row: PeeringRow): Promise<void> {
  const linked = (await peering.everywhere(tx)).filter(isLinked)
  const [a, b] = sidesOf(row).map(side => side.vpc)
  const has = (other: PeeringRow, id: string | undefined) => sidesOf(other).some(side => side.vpc === id)
  if (linked.some(other => has(other, a) && has(other, b))) {
    throw new ApiError('VpcPeeringConnectionAlreadyExists', `The vpc peering connection identified by ${row.id} already exists.`)
  }
  for (const id of [a, b]) checkLimit('peerings', linked.filter(other => has(other, id)).length)
}

/** What one side's options become; ClassicLink is retired, so that its two can only be off. */
function optionsOf(side: Side, given: sdk.PeeringConnectionOptionsRequest): Side {
  if (given.AllowEgressFromLocalClassicLinkToRemoteVpc || given.AllowEgressFromLocalVpcToRemoteClassicLink) {
    throw unsupported('ClassicLink')
  }
  return { ...side, remoteDns: given.AllowDnsResolutionFromRemoteVpc ?? side.remoteDns }
}

const optionsView = ({ remoteDns }: Side): sdk.PeeringConnectionOptions => ({
  AllowDnsResolutionFromRemoteVpc: remoteDns,
  AllowEgressFromLocalClassicLinkToRemoteVpc: false,
  AllowEgressFromLocalVpcToRemoteClassicLink: false,
})

export const actions: Actions<typeof sdk> = {
  /** The answer is of the moment before the accepter is asked. */
  async CreateVpcPeeringConnection(call) {
    const row = await create(call)
    const view = await peering.viewOne(call.tx, row)
    const Status = { Code: 'initiating-request' as const, Message: `Initiating Request to ${row.spec.accepter.account}` }
    return { VpcPeeringConnection: { ...view, Status, ExpirationTime: new Date(after(call.now, PENDING_MS)) } }
  },

  async AcceptVpcPeeringConnection(call) {
    const row = await requestTo(call, 'accept', 'active')
    const [own, other] = await Promise.all(sidesOf(row).map(side => vpcOf(call.tx, side)))
    if (!own || !other) throw noTransition(row, 'active')
    await checkPair(call.tx, row)
    const accepted = await peering.update(call.tx, row, { status: { state: 'provisioning', message: 'Provisioning', until: undefined } }, 'accepted')
    return { VpcPeeringConnection: await peering.viewOne(call.tx, accepted) }
  },

  async RejectVpcPeeringConnection(call) {
    const row = await requestTo(call, 'reject', 'rejected')
    const status = { state: 'rejected' as const, message: `Rejected by ${call.account}`, until: after(call.now, SHOWN_MS.rejected) }
    await peering.update(call.tx, row, { status }, 'rejected')
    return { Return: true }
  },

  /** The requester may take a request back; a connection either side may end. */
  async DeleteVpcPeeringConnection(call) {
    const row = await getPeering(call.tx, call, call.input.VpcPeeringConnectionId!)
    const isRequest = row.status.state === 'pending-acceptance'
    if (isRequest && !isAt(row.spec.requester, call)) throw notPermitted(`User ${call.account} cannot delete peering ${row.id}`)
    if (!isIn(peerings.delete, row.status.state)) throw noTransition(row, 'deleting')
    const status = { state: 'deleted' as const, message: `Deleted by ${call.account}`, until: after(call.now, SHOWN_MS.deleted) }
    await peering.update(call.tx, row, { status }, 'deleted')
    return { Return: true }
  },

  async DescribeVpcPeeringConnections(call) {
    const { VpcPeeringConnectionIds: ids = [] } = call.input
    const named = new Map<string, PeeringRow>()
    for (const id of ids) named.set(id, await getPeering(call.tx, call, id))
    const rows = ids.length > 0 ? [...named.values()] : await visiblePeerings(call.tx, call)
    const { hits, next } = await select(call, peering, { ids: undefined, rows })
    return { VpcPeeringConnections: hits.map(hit => hit.view), NextToken: next }
  },

  async ModifyVpcPeeringConnectionOptions(call) {
    const { RequesterPeeringConnectionOptions: forRequester, AccepterPeeringConnectionOptions: forAccepter } = call.input
    const row = await getPeering(call.tx, call, call.input.VpcPeeringConnectionId!)
    if (!forRequester && !forAccepter) throw missingParameter('requesterPeeringConnectionOptions or accepterPeeringConnectionOptions')
    if (!isIn(peerings.options, row.status.state)) {
      throw notPermitted(`Peering ${row.id} is not active. Peering options can be added only to active peerings.`)
    }
    const { requester, accepter } = row.spec
    if (forRequester && !isAt(requester, call)) throw notPermitted(`User ${call.account} cannot modify requester peering options of ${row.id}`)
    if (forAccepter && !isAt(accepter, call)) throw notPermitted(`User ${call.account} cannot modify accepter peering options of ${row.id}`)
    const spec = {
      requester: forRequester ? optionsOf(requester, forRequester) : requester, accepter: forAccepter ? optionsOf(accepter, forAccepter) : accepter,
    }
    await peering.update(call.tx, row, { spec }, 'options-modified')
    return {
      RequesterPeeringConnectionOptions: forRequester && optionsView(spec.requester),
      AccepterPeeringConnectionOptions: forAccepter && optionsView(spec.accepter),
    }
  },
}
