/** A VPC drawn: its subnets by zone, the route table that each follows, and where these lead. */
import { Box, Container, Header, SpaceBetween } from '@cloudscape-design/components'
import { useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import { nameOf, type Item } from '../resources/kinds'
import { go } from '../shell/router'
import { placeOf, targetOf } from './VpcTabs'

const ROW = 56
const WIDTH = 215
const GAP = 46
const HEIGHT = 44

const HEADS = ['menu.subnets', 'menu.routes', 'vpc.connections'] as const satisfies Key[]

type Box_ = { id: string; title: string; hint: string; href?: string }

export function ResourceMap({ vpc }: { vpc: string }) {
  const input = { Filters: [{ Name: 'vpc-id', Values: [vpc] }] }
  const subnets = useList('ec2', 'DescribeSubnets', 'Subnets', { kinds: ['subnet'], input })
  const tables = useList('ec2', 'DescribeRouteTables', 'RouteTables', { kinds: ['route-table', 'subnet', 'internet-gateway'], input })
  const vpcs = useList('ec2', 'DescribeVpcs', 'Vpcs', { kinds: ['vpc'], input: { VpcIds: [vpc] } })
  const doors = useList('ec2', 'DescribeInternetGateways', 'InternetGateways', { kinds: ['internet-gateway'] })
  const nats = useList('ec2', 'DescribeNatGateways', 'NatGateways', { kinds: ['natgateway'] })
  const left: Box_[] = [...(subnets.data ?? [])]
    .sort((a, b) => String(a.AvailabilityZone).localeCompare(String(b.AvailabilityZone)))
    .map(s => ({
      id: s.SubnetId,
      title: nameOf(s) || s.SubnetId,
      hint: `${s.AvailabilityZone} · ${s.CidrBlock}`,
      href: `/vpc/subnets/${s.SubnetId}`,
    }))
  const middle: Box_[] = (tables.data ?? []).map(r => ({
    id: r.RouteTableId,
    title: nameOf(r) || r.RouteTableId,
    hint: r.Associations?.some((a: Item) => a.Main) ? t('f.main') : '',
    href: `/vpc/route-tables/${r.RouteTableId}`,
  }))
  const routes = (tables.data ?? []).flatMap(r =>
    (r.Routes ?? [])
      .map((route: Item) => ({ table: r.RouteTableId as string, to: targetOf(route), cidr: route.DestinationCidrBlock as string }))
      .filter((x: Item) => x.to !== 'local' && x.to !== '–'),
  )
  const names = new Map([...(doors.data ?? []), ...(nats.data ?? [])].map(d => [d.InternetGatewayId ?? d.NatGatewayId, nameOf(d)]))
  const right: Box_[] = [
    ...new Map(
      routes.map(r => [r.to, { id: r.to, title: names.get(r.to) || r.to, hint: names.get(r.to) ? r.to : r.cidr, href: placeOf(r.to) }]),
    ).values(),
  ]
  const own: Box_[] = (vpcs.data ?? []).map(v => ({ id: v.VpcId, title: nameOf(v) || v.VpcId, hint: v.CidrBlock, href: `/vpc/vpcs/${v.VpcId}` }))
  const main = (tables.data ?? []).find(r => r.Associations?.some((a: Item) => a.Main))?.RouteTableId
  const lines: [string, string][] = [
    ...left.map((s): [string, string] => [vpc, s.id]),
    ...left.map((s): [string, string] => [
      s.id,
      (tables.data ?? []).find(r => r.Associations?.some((a: Item) => a.SubnetId === s.id))?.RouteTableId ?? main,
    ]),
    ...routes.map((r): [string, string] => [r.table, r.to]),
  ]
  const columns = [own, left, middle, right]
  const places = new Map(
    columns.flatMap((boxes, x) => boxes.map((box, y): [string, { x: number; y: number }] => [box.id, { x: x * (WIDTH + GAP) + 1, y: y * ROW + 30 }])),
  )
  const height = Math.max(...columns.map(c => c.length)) * ROW + 40
  const heads = ['VPC', ...[left, middle, right].map((boxes, i) => `${t(HEADS[i]!)} (${boxes.length})`)]
  return (
    <Container
      header={
        <Header variant="h2" description={t('vpc.mapHint')}>
          {t('vpc.map')}
        </Header>
      }
    >
      <SpaceBetween size="s">
        <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label={t('vpc.map')}>
          <svg width={4 * WIDTH + 3 * GAP + 2} height={height} fontFamily="inherit" fontSize="13" style={{ color: 'inherit' }}>
            {heads.map((text, x) => (
              <text key={text} x={x * (WIDTH + GAP)} y="16" fill="currentColor" fontWeight="700">
                {text}
              </text>
            ))}
            {lines.map(([from, to]) => {
              const a = places.get(from)
              const b = places.get(to)
              if (!a || !b) return null
              const start = a.x + WIDTH
              const half = HEIGHT / 2
              return (
                <path
                  key={`${from} ${to}`}
                  d={`M${start} ${a.y + half} C${start + GAP / 2} ${a.y + half} ${b.x - GAP / 2} ${b.y + half} ${b.x} ${b.y + half}`}
                  fill="none"
                  stroke="#7d8998"
                  strokeWidth="2"
                />
              )
            })}
            {columns.flat().map(box => (
              <MapBox key={box.id} box={box} at={places.get(box.id)!} />
            ))}
          </svg>
        </div>
        {left.length === 0 && <Box>{t('subnets.empty')}</Box>}
      </SpaceBetween>
    </Container>
  )
}

function MapBox({ box, at }: { box: Box_; at: { x: number; y: number } }) {
  const content = (
    <>
      <rect x={at.x} y={at.y} width={WIDTH} height={HEIGHT} rx="8" fill="transparent" stroke="currentColor" />
      <text x={at.x + 8} y={at.y + 18} fill="currentColor" fontWeight="600">
        {box.title}
      </text>
      <text x={at.x + 8} y={at.y + 35} fontSize="12" fill="currentColor">
        {box.hint}
      </text>
    </>
  )
  if (!box.href) return <g>{content}</g>
  const { href } = box
  return (
    <a
      href={href}
      onClick={event => {
        event.preventDefault()
        go(href)
      }}
    >
      {content}
    </a>
  )
}
