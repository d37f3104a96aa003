/** Amazon Resource Names, taken apart. */
export type Arn = { service: string; region: string; account: string; type: string; id: string }

/** The parts of `arn:aws:SERVICE:REGION:ACCOUNT:TYPE/ID`, each empty where the ARN lacks it. */
export function arnParts(arn: string): Arn {
  const [, , service = '', region = '', account = '', ...rest] = arn.split(':')
  const name = rest.join(':')
  const slash = name.search(/[/:]/)
  return { service, region, account, type: slash < 0 ? '' : name.slice(0, slash), id: slash < 0 ? name : name.slice(slash + 1) }
}
