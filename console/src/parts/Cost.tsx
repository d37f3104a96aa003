/** What AWS would ask for instances of these types, and where that is from. */
import { Box } from '@cloudscape-design/components'
import { formatDay, t, usd } from '../i18n/text'
import { PRICED_ON, sumOf } from '../prices'

const HOURS_IN_A_MONTH = 730

export function Cost({ types }: { types: readonly string[] }) {
  const { price, unknown } = sumOf(types)
  const known = types.length - unknown
  return (
    <>
      {types.length === 0 && <Box>{t('cost.none')}</Box>}
      {known > 0 && (
        <>
          <Box fontWeight="bold">{t('cost.hour', { price: usd(price) })}</Box>
          <Box>{t('cost.month', { price: usd(Math.round(price * HOURS_IN_A_MONTH * 100) / 100) })}</Box>
        </>
      )}
      {unknown > 0 && <Box>{t('cost.unknown', { count: unknown })}</Box>}
      <Box color="text-body-secondary" fontSize="body-s">
        {t('cost.source', { date: formatDay(PRICED_ON) })}
      </Box>
    </>
  )
}
