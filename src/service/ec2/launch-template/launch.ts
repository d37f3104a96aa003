/**
 * A launch by a template: the whole request that it comes to, and the marks that its instances bear.
 *
 * Invariant: what policies are asked and what is launched are the same request, read by `withTemplate`.
 */
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import type { Call, Place } from '#kit/action'
import { tagSpecifications, type Tags } from '#kit/tags'
import { launchOf } from '#service/ec2/launch-template/data'
import { templateOf, versionOf, type VersionRow } from '#service/ec2/launch-template/launch-template'
import type { Reader } from '#store/store'

/** The request over the template that it names, and the version of it; the default one where it names none. */
export async function withTemplate(reader: Reader, place: Place, request: RunInstancesRequest) {
  const { LaunchTemplate: named } = request
  if (!named) return { input: request, version: undefined }
  const template = await templateOf(reader, place, named, 'launch an instance')
  const version = await versionOf(reader, template, named.Version || '$Default', 'LaunchTemplate.Version')
  return { input: launchOf(version.spec.data, request), version }
}

/** EC2 User Guide, "Launch EC2 instances using a launch template": two tags that nobody can change. */
const marks = ({ spec }: VersionRow): Tags =>
  ({ 'aws:ec2launchtemplate:id': spec.template, 'aws:ec2launchtemplate:version': String(spec.number) })

/** RunInstances as if it had said itself what its template says. */
export async function launching(call: Call<RunInstancesRequest>): Promise<Call<RunInstancesRequest> & { rest(): void }> {
  const { input, version } = await withTemplate(call.tx, call, call.input)
  if (!version) return { ...call, rest() {} }
  const { of, rest } = tagSpecifications(input.TagSpecifications)
  const tags = (type: string): Tags => {
    call.tags(type) // Those of the request itself are among these, and count as taken.
    return type === 'instance' ? { ...of(type), ...marks(version) } : of(type)
  }
  return { ...call, input, tags, rest }
}
