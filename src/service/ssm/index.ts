/** AWS Systems Manager: the Parameter Store. */
import { ApiError, nullMember } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import { arnOf, parametersIn } from '#service/ssm/parameter'
import { readActions, type Parts } from '#service/ssm/read'
import { writeActions } from '#service/ssm/write'
import type { Service } from '#service/service'

const sdk = await loadSdk('ssm')

export const ssm = (parts: Parts): Service => ({
  sdk, drivers: [],
  tagged: async (reader, place) => (await parametersIn(reader, place)).map(({ spec, tags }) => ({ arn: arnOf(place, spec.name), tags })),
  definition: {
    id: 'ssm', operations: operationsOf(sdk), actions: { ...readActions(parts), ...writeActions(parts.sealer) },
    missing: nullMember('ValidationException'),
    access: { denied: message => new ApiError('AccessDeniedException', message, 400) },
  },
})
