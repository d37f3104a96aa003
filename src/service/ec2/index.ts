/** The EC2 service: one line for each resource that has actions, drivers or something to prepare. */
import type * as Sdk from '@aws-sdk/client-ec2'
import type { Actions, Place } from '#kit/action'
import type { AnyResource } from '#kit/resource'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import type { Service } from '#service/service'
import type { ImageSeen } from '#engine/port'
import type { Reader } from '#store/store'
import type { Context } from '#service/ec2/context'
import { missingParameter } from '#service/ec2/errors'
import { access } from '#service/ec2/access/complete'
import { actions as account } from '#service/ec2/account/actions'
import { actions as addresses } from '#service/ec2/address/actions'
import { elasticIp } from '#service/ec2/address/address'
import { actions as images } from '#service/ec2/image/actions'
import { imageDriver, imageWakes } from '#service/ec2/image/drive'
import { prepareImages } from '#service/ec2/image/prepare'
import { actions as instances } from '#service/ec2/instance/actions'
import { instanceDriver, sweepMachines } from '#service/ec2/instance/drive'
import { instance } from '#service/ec2/instance/instance'
import { actions as instanceTypes } from '#service/ec2/instance-type/actions'
import { actions as keyPairs, keyPair } from '#service/ec2/key-pair/key-pair'
import { actions as launchTemplates } from '#service/ec2/launch-template/actions'
import { launchTemplate } from '#service/ec2/launch-template/launch-template'
import { actions as regions } from '#service/ec2/region/actions'
import { useRegion, zonesFor } from '#service/ec2/region/region'
import { actions as snapshots } from '#service/ec2/snapshot/actions'
import { snapshotDriver } from '#service/ec2/snapshot/drive'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { taggable, taggableImage } from '#service/ec2/tag/tags'
import { tagActions } from '#service/ec2/tag/actions'
import { throttle } from '#service/ec2/throttle/throttle'
import { actions as volumes } from '#service/ec2/volume/actions'
import { volumeDriver } from '#service/ec2/volume/drive'
import { importDriver, importTask, actions as imports } from '#service/ec2/transfer/import'
import { exportDriver, exportTask, actions as exports } from '#service/ec2/transfer/export'
import { importImageTask } from '#service/ec2/transfer/import-image'
import { importImageDriver } from '#service/ec2/transfer/import-image-drive'
import { imageTaskDriver } from '#service/ec2/transfer/drive'
import { actions as imageStores } from '#service/ec2/transfer/store'
import { creditSweeper } from '#service/ec2/volume/credits'
import { diskSweeper } from '#service/ec2/volume/sweep'
import { volume } from '#service/ec2/volume/volume'
import { actions as dhcpOptions } from '#service/ec2/dhcp-options/actions'
import { dhcpOptions as dhcpOptionsSet } from '#service/ec2/dhcp-options/dhcp-options'
import { actions as egressOnlyGateways, egressOnlyGateway } from '#service/ec2/egress-only-gateway/egress-only-gateway'
import { actions as gateways } from '#service/ec2/internet-gateway/actions'
import { internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { actions as networkAcls } from '#service/ec2/network-acl/actions'
import { networkAcl } from '#service/ec2/network-acl/network-acl'
import { actions as interfaces } from '#service/ec2/network-interface/actions'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { actions as natGateways } from '#service/ec2/nat-gateway/actions'
import { natGatewayDriver } from '#service/ec2/nat-gateway/drive'
import { natGateway } from '#service/ec2/nat-gateway/nat-gateway'
import { actions as rootReplacements } from '#service/ec2/replace-root/actions'
import { taskDriver, volumeWakes } from '#service/ec2/replace-root/drive'
import { task as replaceRootTask } from '#service/ec2/replace-root/task'
import { actions as routeTables } from '#service/ec2/route-table/actions'
import { routeTable } from '#service/ec2/route-table/route-table'
import { actions as groups } from '#service/ec2/security-group/actions'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { securityGroupRule } from '#service/ec2/security-group/security-group-rule'
import { actions as flowLogs } from '#service/ec2/flow-log/actions'
import { flowLogSweeper, sweepFlowLogs } from '#service/ec2/flow-log/deliver'
import { openSampler } from '#service/ec2/metrics/sampler'
import { flowLog } from '#service/ec2/flow-log/flow-log'
import { actions as prefixLists } from '#service/ec2/prefix-list/actions'
import { prefixList } from '#service/ec2/prefix-list/prefix-list'
import { actions as subnets } from '#service/ec2/subnet/actions'
import { reservation } from '#service/ec2/subnet/reservation'
import { subnet } from '#service/ec2/subnet/subnet'
import { actions as peerings } from '#service/ec2/vpc-peering/actions'
import { peeringDriver } from '#service/ec2/vpc-peering/drive'
import { peering } from '#service/ec2/vpc-peering/peering'
import { actions as endpoints } from '#service/ec2/vpc-endpoint/actions'
import { vpcEndpointDriver } from '#service/ec2/vpc-endpoint/drive'
import { vpcEndpoint } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { actions as vpcs } from '#service/ec2/vpc/actions'
import { sweepNetworks, vpcDriver } from '#service/ec2/vpc/drive'
import { findDefaultVpc, preparation } from '#service/ec2/vpc/prepare'
import { vpc } from '#service/ec2/vpc/vpc'
import { vpcWakes } from '#service/ec2/vpc/wakes'

const sdk = await loadSdk('ec2')

const tagged = [
  instance, volume, snapshot, keyPair, vpc, subnet, routeTable, internetGateway, networkAcl, dhcpOptionsSet, securityGroup, networkInterface,
  replaceRootTask, securityGroupRule, elasticIp, natGateway, peering, prefixList, flowLog, vpcEndpoint, reservation, egressOnlyGateway, importTask,
  exportTask, importImageTask, launchTemplate,
].map(resource => taggable(resource as AnyResource))

function actionsOf(context: Context): Actions<typeof Sdk> {
  return {
    ...account({ defaultVpc: async (reader: Reader, place: Place) => (await findDefaultVpc(reader, place))?.id }),
    ...regions,
    ...images(context),
    ...snapshots(context),
    ...imports(context),
    ...imageStores(context),
    ...exports(context),
    ...instanceTypes(region => zonesFor(region).map(z => ({ name: z.ZoneName!, id: z.ZoneId! }))),
    ...instances(context),
    ...keyPairs,
    ...launchTemplates(context),
    ...volumes(context),
    ...rootReplacements(context),
    ...vpcs(context),
    ...subnets,
    ...routeTables,
    ...gateways,
    ...egressOnlyGateways,
    ...networkAcls,
    ...dhcpOptions,
    ...groups,
    ...interfaces(context),
    ...addresses(context),
    ...natGateways(context),
    ...peerings,
    ...prefixLists(context),
    ...endpoints(context),
    ...flowLogs(context),
    ...tagActions([...tagged, taggableImage]),
  }
}

const drivers = [
  instanceDriver, volumeDriver, snapshotDriver, imageDriver, taskDriver, vpcDriver, natGatewayDriver, peeringDriver,
  importDriver, importImageDriver, imageTaskDriver, exportDriver, vpcEndpointDriver,
]

/** The whole of EC2 over a context. */
export function ec2(context: Context): Service {
  const network = preparation()
  const sweepDisks = diskSweeper(context)
  const countCredits = creditSweeper(context)
  const sampler = openSampler(context)
  const wakes = [vpcWakes(context.store), imageWakes(context.store), volumeWakes(context.store)]
  const deliverFlowLogs = flowLogSweeper(context)
  // The images that each region has records of: they are written again only when the engine's list is another one.
  const imagesIn = new Map<string, ImageSeen[]>()
  return {
    sdk,
    definition: {
      id: 'ec2', operations: operationsOf(sdk), actions: actionsOf(context), access: access(context), missing: missingParameter,
      tokenMax: { CreateLaunchTemplate: 128, CreateLaunchTemplateVersion: 128, ModifyLaunchTemplate: 128 },
      pace: context.home.apiThrottle && throttle(context.clock),
      prepare: {
        needed: place => !network.prepared(place) || imagesIn.get(place.region) !== context.images(),
        async run(tx, place, now) {
          await network.prepare(tx, place, now)
          await useRegion(tx, place)
          await prepareImages(tx, place, context.images())
        },
        done: place => imagesIn.set(place.region, context.images()),
      },
    },
    drivers: drivers.map(driver => driver(context)),
    start: sampler.start,
    close: sampler.close,
    async tagged(reader, place) {
      const lists = await Promise.all([...tagged, taggableImage].map(async ({ kind, list }) =>
        (await list(reader, place)).map(({ id, tags }) => ({ arn: `arn:aws:ec2:${place.region}:${place.account}:${kind}/${id}`, tags }))))
      return lists.flat()
    },
    wakes: async event => (await Promise.all(wakes.map(wake => wake(event)))).flat(),
    async sweep() {
      // One that can't be removed must not keep the others.
      const sweeps = [
        () => sweepMachines(context), () => sweepNetworks(context), sweepDisks, countCredits, deliverFlowLogs, () => sweepFlowLogs(context),
      ]
      for (const sweep of sweeps) {
        await sweep().catch((error: unknown) => context.log.error('ec2.sweep', { error }))
      }
    },
  }
}
