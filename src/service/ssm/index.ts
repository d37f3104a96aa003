/** AWS Systems Manager: the Parameter Store. */
import { ApiError, nullMember } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import { readActions, type Parts } from '#service/ssm/read'
import { writeActions } from '#service/ssm/write'
import type { Service } from '#service/service'

const sdk = await loadSdk('ssm')

export const ssm = (parts: Parts): Service => ({
  sdk, drivers: [],
  definition: {
    id: 'ssm', operations: operationsOf(sdk), actions: { ...readActions(parts), ...writeActions(parts.sealer) },
    missing: nullMember('ValidationException'),
    access: { denied: message => new ApiError('AccessDeniedException', message, 400) },
  },
})
