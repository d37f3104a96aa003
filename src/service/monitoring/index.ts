/** Amazon CloudWatch: metrics. */
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import { gets } from '#service/monitoring/get'
import { missing } from '#service/monitoring/metric'
import { puts } from '#service/monitoring/put'
import type { Series } from '#service/monitoring/series'
import type { Service } from '#service/service'

const sdk = await loadSdk('cloudwatch')

export const monitoring = ({ series }: { series: () => Series }): Service => ({
  sdk, drivers: [],
  definition: { id: 'monitoring', operations: operationsOf(sdk), actions: { ...gets(series), ...puts(series) }, missing },
  sweep: () => series().age(),
  close: async () => series().close(),
})
