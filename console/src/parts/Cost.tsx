/** What AWS would ask for what is there, and where that is from: an estimate, and it says so. */
import { Box } from '@cloudscape-design/components'
import { ADDRESS_PRICED_SINCE, PRICED_ON, VOLUMES_PRICED_ON } from '../data/prices'
import { formatDay, formatNumber, t, usd, type Key } from '../i18n/text'
import { HOURS_IN_A_MONTH, sumOf, type Used } from '../prices'

export function Cost(used: Used) {
  const { types, disks, addresses } = used
  const sum = sumOf(used)
  const gib = disks.reduce((all, disk) => all + disk.gib, 0)
  const parts: [Key, number, number][] = [
    ['cost.instances', types.length, sum.instances],
    ['cost.storage', gib, sum.storage],
    ['cost.addresses', addresses, sum.addresses],
  ]
  const shown = parts.filter(([, count]) => count > 0)
  return (
    <>
      {shown.length === 0 && <Box>{t('cost.none')}</Box>}
      {shown.length > 0 && (
        <>
          <Box fontWeight="bold">{t('cost.hour', { price: usd(sum.total) })}</Box>
          <Box>{t('cost.month', { price: usd(Math.round(sum.total * HOURS_IN_A_MONTH * 100) / 100) })}</Box>
        </>
      )}
      {shown.map(([label, count, price]) => (
        <Box key={label} fontSize="body-s">
          {t(label, { count: formatNumber(count), price: usd(price) })}
        </Box>
      ))}
      {sum.unknown > 0 && <Box>{t('cost.unknown', { count: sum.unknown })}</Box>}
      <Box color="text-body-secondary" fontSize="body-s">
        {t('cost.source', {
          instances: formatDay(PRICED_ON),
          volumes: formatDay(VOLUMES_PRICED_ON),
          addresses: formatDay(ADDRESS_PRICED_SINCE),
        })}
      </Box>
    </>
  )
}
