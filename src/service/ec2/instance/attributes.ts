/** One attribute of an instance at a time, as EC2's older calls ask, and the modifications that have calls of their own. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { InstanceAttribute, ModifyInstanceAttributeRequest } from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { ownVolumes } from '#service/ec2/instance/belongings'
import { checkLaunchable } from '#service/ec2/instance/launch-type'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { burstable, checkTokens, noCredits, readCredits, readMetadata, readUserData } from '#service/ec2/instance/launch-options'
import { ownInterfaces } from '#service/ec2/instance/ports'
import { find, limits } from '#service/ec2/instance-type/instance-type'
import { checkGroups } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { attaching, attachmentTo, volume } from '#service/ec2/volume/volume'
import type { Tx } from '#store/store'
import { instances, isIn } from '#service/ec2/states'

const invalid = (value: unknown, parameter: string) =>
  new ApiError('InvalidParameterValue', `Value (${value}) for parameter ${parameter} is invalid.`)

type Answer = Omit<InstanceAttribute, 'InstanceId'>

const readers: Record<string, (row: InstanceRow, call: Call<object>) => Answer | Promise<Answer>> = {
  instanceType: row => ({ InstanceType: { Value: row.spec.type } }),
  kernel: () => ({ KernelId: {} }),
  ramdisk: () => ({ RamdiskId: {} }),
  userData: row => ({ UserData: { Value: row.spec.userData } }),
  disableApiTermination: row => ({ DisableApiTermination: { Value: row.spec.terminationProtection } }),
  disableApiStop: row => ({ DisableApiStop: { Value: row.spec.stopProtection } }),
  instanceInitiatedShutdownBehavior: row => ({ InstanceInitiatedShutdownBehavior: { Value: row.spec.onShutdown } }),
  rootDeviceName: row => ({ RootDeviceName: { Value: row.spec.rootDevice } }),
  blockDeviceMapping: async (row, call) => ({ BlockDeviceMappings: (await instance.viewOne(call.tx, row)).BlockDeviceMappings }),
  productCodes: () => ({ ProductCodes: [] }),
  sourceDestCheck: async (row, call) => ({ SourceDestCheck: { Value: (await instance.viewOne(call.tx, row)).SourceDestCheck } }),
  groupSet: async (row, call) => ({ Groups: (await instance.viewOne(call.tx, row)).SecurityGroups }),
  ebsOptimized: row => ({ EbsOptimized: { Value: row.spec.ebsOptimized } }),
  sriovNetSupport: () => ({ SriovNetSupport: {} }),
  enaSupport: () => ({ EnaSupport: { Value: true } }),
  enclaveOptions: () => ({ EnclaveOptions: { Enabled: false } }),
}

const mustBeStopped = (row: InstanceRow): void => {
  if (!isIn(instances.changeType, row.status.state)) {
    throw new ApiError('IncorrectInstanceState', `The instance '${row.id}' is not in the 'stopped' state.`)
  }
}

/** The old form names one attribute with one value; the new one has a member for each. Both become the new one. */
function asMembers(input: ModifyInstanceAttributeRequest): ModifyInstanceAttributeRequest {
  const { Attribute: attribute, Value: value } = input
  if (attribute === undefined) return input
  if (value === undefined) {
    if (attribute === 'blockDeviceMapping' && input.BlockDeviceMappings?.length) return input
    throw new ApiError('InvalidParameterCombination', 'No attributes specified.')
  }
  const yes = value === 'true'
  const forms: Record<string, Partial<ModifyInstanceAttributeRequest>> = {
    instanceType: { InstanceType: { Value: value } },
    // Base64 already: EC2 User Guide, "Update the instance user data" (--attribute userData --value file://UserData.base64.txt).
    userData: { UserData: { Value: attribute === 'userData' ? Buffer.from(readUserData(value) ?? '', 'base64') : undefined } },
    disableApiTermination: { DisableApiTermination: { Value: yes } },
    disableApiStop: { DisableApiStop: { Value: yes } },
    instanceInitiatedShutdownBehavior: { InstanceInitiatedShutdownBehavior: { Value: value } },
    ebsOptimized: { EbsOptimized: { Value: yes } },
    sourceDestCheck: { SourceDestCheck: { Value: yes } },
  }
  const form = Object.hasOwn(forms, attribute) ? forms[attribute] : undefined
  if (!form) throw invalid(attribute, 'attribute')
  return { ...input, ...form }
}

/** One attribute a call (API Reference, ModifyInstanceAttribute); the text for none was seen on AWS in amazon.aws issue 470. */
function checkSingle({ InstanceId: _id, DryRun: _dry, Attribute: _attribute, Value: _value, ...given }: ModifyInstanceAttributeRequest): void {
  const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0)
  const names = Object.entries(given).filter(([, value]) => isGiven(value)).map(([name]) => name)
  if (names.length === 0) throw new ApiError('InvalidParameterCombination', 'No attributes specified.')
  if (names.length > 1) {
    const words = names.map(name => name[0]!.toLowerCase() + name.slice(1)).join(', ')
    throw new ApiError('InvalidParameterCombination', `Fields for multiple attribute types specified: ${words}`)
  }
}

async function modifyPrimary(call: Call<object>, row: InstanceRow, input: ModifyInstanceAttributeRequest): Promise<void> {
  const primary = await networkInterface.find(call.tx, row.spec.interfaces[0]!)
  if (!primary) throw new ApiError('IncorrectInstanceState', `The instance '${row.id}' has no network interface.`)
  let now = primary
  if (input.SourceDestCheck?.Value !== undefined) {
    now = await networkInterface.update(call.tx, now, { spec: { sourceDestCheck: input.SourceDestCheck.Value } }, 'modified')
  }
  if (input.Groups !== undefined) {
    const groups = await checkGroups(call.tx, { place: call, vpc: now.spec.vpc, groups: input.Groups })
    await networkInterface.update(call.tx, now, { spec: { groups } }, 'modified')
  }
}

async function modifyMappings(call: Call<object>, row: InstanceRow, input: ModifyInstanceAttributeRequest): Promise<void> {
  for (const { DeviceName: device, Ebs, NoDevice, VirtualName } of input.BlockDeviceMappings ?? []) {
    if (NoDevice !== undefined || VirtualName !== undefined) {
      throw new ApiError('UnsupportedOperation', 'Enclume changes DeleteOnTermination of mappings alone.')
    }
    const own = (await ownVolumes(call.tx, row)).find(one => attachmentTo(one, row.id)!.device === device)
    if (!own || (Ebs?.VolumeId !== undefined && Ebs.VolumeId !== own.id)) {
      throw new ApiError('InvalidInstanceAttributeValue', `No device is currently mapped at ${device}`)
    }
    // API Reference, ModifyInstanceAttribute: "If no value is specified for DeleteOnTermination, the default is true".
    const deleteOnTermination = Ebs?.DeleteOnTermination ?? true
    await volume.update(call.tx, own, { spec: attaching(own, row.id, { ...attachmentTo(own, row.id)!, deleteOnTermination }) }, 'modified')
  }
}

function changed(context: Context, row: InstanceRow, input: ModifyInstanceAttributeRequest): Partial<InstanceRow['spec']> {
  const spec: Partial<InstanceRow['spec']> = {}
  if (input.InstanceType?.Value !== undefined) {
    mustBeStopped(row)
    const { cpus, memoryMiB } = checkLaunchable(context, input.InstanceType.Value, row.spec.architecture)
    Object.assign(spec, { type: input.InstanceType.Value, cpus, memoryMiB, credits: readCredits(undefined, input.InstanceType.Value) })
  }
  if (input.UserData?.Value !== undefined) {
    mustBeStopped(row)
    spec.userData = readUserData(Buffer.from(input.UserData.Value).toString('base64'))
  }
  if (input.EbsOptimized?.Value !== undefined) { mustBeStopped(row); spec.ebsOptimized = input.EbsOptimized.Value }
  if (input.DisableApiTermination?.Value !== undefined) spec.terminationProtection = input.DisableApiTermination.Value
  if (input.DisableApiStop?.Value !== undefined) spec.stopProtection = input.DisableApiStop.Value
  const behaviour = input.InstanceInitiatedShutdownBehavior?.Value
  if (behaviour !== undefined) {
    if (behaviour !== 'stop' && behaviour !== 'terminate') throw invalid(behaviour, 'instanceInitiatedShutdownBehavior')
    spec.onShutdown = behaviour
  }
  return spec
}

export const attributes = (context: Context): Actions<typeof sdk> => ({
  async DescribeInstanceAttribute(call) {
    const row = await instance.get(call.tx, call, call.input.InstanceId!)
    const name = call.input.Attribute!
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined
    if (!read) throw invalid(name, 'attribute')
    return { InstanceId: row.id, ...(await read(row, call)) }
  },

  async ModifyInstanceAttribute(call) {
    const input = asMembers(call.input)
    const row = await instance.get(call.tx, call, input.InstanceId!)
    checkSingle(input)
    for (const name of ['Kernel', 'Ramdisk', 'SriovNetSupport'] as const) {
      if (input[name] !== undefined) throw new ApiError('UnsupportedOperation', `Enclume does not implement modifying ${name}.`)
    }
    if (input.SourceDestCheck !== undefined || input.Groups !== undefined) await modifyPrimary(call, row, input)
    await modifyMappings(call, row, input)
    const spec = changed(context, row, input)
    if (spec.type !== undefined) await setBandwidth(call.tx, row, spec.type)
    await instance.update(call.tx, row, { spec }, 'modified')
    return {}
  },

  async ModifyInstanceMetadataOptions(call) {
    const row = await instance.get(call.tx, call, call.input.InstanceId!)
    const metadata = readMetadata(call.input, row.spec.metadata)
    // What was set before tokens were enforced may stay; IMDSv1 can't be switched on any more.
    if (row.spec.metadata.tokens === 'required') await checkTokens(call, metadata)
    for (const id of row.spec.interfaces) {
      const own = await networkInterface.find(call.tx, id)
      if (own) await networkInterface.update(call.tx, own, { spec: { metadataHopLimit: metadata.hopLimit } }, 'modified')
    }
    const after = await instance.update(call.tx, row, { spec: { metadata } }, 'modified')
    return { InstanceId: row.id, InstanceMetadataOptions: (await instance.viewOne(call.tx, after)).MetadataOptions }
  },

  async MonitorInstances(call) { return { InstanceMonitorings: await monitor(call, true) } },
  async UnmonitorInstances(call) { return { InstanceMonitorings: await monitor(call, false) } },

  async ModifyInstanceCreditSpecification(call) {
    const answer = {
      SuccessfulInstanceCreditSpecifications: [] as sdk.SuccessfulInstanceCreditSpecificationItem[],
      UnsuccessfulInstanceCreditSpecifications: [] as sdk.UnsuccessfulInstanceCreditSpecificationItem[],
    }
    for (const { InstanceId = '', CpuCredits } of call.input.InstanceCreditSpecifications ?? []) {
      try {
        const row = await instance.get(call.tx, call, InstanceId)
        if (!burstable(row.spec.type)) throw noCredits(row)
        await instance.update(call.tx, row, { spec: { credits: readCredits(CpuCredits, row.spec.type) } }, 'modified')
        answer.SuccessfulInstanceCreditSpecifications.push({ InstanceId })
      } catch (error) {
        // One instance's refusal is told in the answer; a wrong value refuses the whole request.
        if (!(error instanceof ApiError) || error.code === 'InvalidParameterValue') throw error
        const Code = error.code as sdk.UnsuccessfulInstanceCreditSpecificationErrorCode
        answer.UnsuccessfulInstanceCreditSpecifications.push({ InstanceId, Error: { Code, Message: error.message } })
      }
    }
    return answer
  },

  async ModifyInstanceMaintenanceOptions(call) {
    const row = await instance.get(call.tx, call, call.input.InstanceId!)
    if (call.input.RebootMigration === 'disabled') throw new ApiError('UnsupportedOperation', 'Enclume does not implement RebootMigration.')
    const autoRecovery = call.input.AutoRecovery ?? row.spec.autoRecovery
    if (autoRecovery !== 'default' && autoRecovery !== 'disabled') throw invalid(autoRecovery, 'autoRecovery')
    await instance.update(call.tx, row, { spec: { autoRecovery } }, 'modified')
    return { InstanceId: row.id, AutoRecovery: autoRecovery }
  },
})

/** The interfaces are as fast as the new type's. */
async function setBandwidth(tx: Tx, row: InstanceRow, type: string): Promise<void> {
  const { networkPeakGbps: bandwidthGbps } = limits(find(type)!)
  for (const own of await ownInterfaces(tx, row)) {
    await networkInterface.update(tx, own, { spec: { attachment: { ...own.spec.attachment!, bandwidthGbps } } }, 'modified')
  }
}

async function monitor(call: Call<{ InstanceIds: string[] | undefined }>, detailedMonitoring: boolean) {
  const rows = await instance.getAll(call.tx, call, call.input.InstanceIds ?? [])
  for (const row of rows) await instance.update(call.tx, row, { spec: { detailedMonitoring } }, 'modified')
  const State = detailedMonitoring ? 'enabled' as const : 'disabled' as const
  return rows.map(row => ({ InstanceId: row.id, Monitoring: { State } }))
}
