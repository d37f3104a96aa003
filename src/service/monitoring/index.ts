/** Amazon CloudWatch: metrics, and alarms on them. */
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import { alarmsIn, arnOf } from '#service/monitoring/alarm'
import { alarmDriver, forgetHistory, type AlarmParts } from '#service/monitoring/alarm-drive'
import { alarms } from '#service/monitoring/alarms'
import { gets } from '#service/monitoring/get'
import { missing } from '#service/monitoring/metric'
import { puts } from '#service/monitoring/put'
import type { Service } from '#service/service'
import type { Store } from '#store/store'

const sdk = await loadSdk('cloudwatch')

export const monitoring = ({ store, ...parts }: AlarmParts & { store: Store }): Service => ({
  sdk, drivers: [alarmDriver(parts)],
  definition: { id: 'monitoring', operations: operationsOf(sdk), actions: { ...gets(parts.series), ...puts(parts.series), ...alarms }, missing },
  tagged: async (reader, place) => (await alarmsIn(reader, place)).map(({ spec, tags }) => ({ arn: arnOf(place, spec.name), tags })),
  async sweep() {
    await parts.series().age()
    await forgetHistory(store, parts.clock())
  },
  close: async () => parts.series().close(),
})
