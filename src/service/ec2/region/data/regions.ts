/**
 * AWS's Regions: code, long name, country, and whether an account must opt in.
 * Codes and names are those of the SDK's partition table (partition `aws`, SDK 3.1169); Regions launched after
 * 20 March 2019 are opt-in (AWS Account Management Reference, "Enable or disable AWS Regions"). Countries: EC2's "Availability Zone IDs".
 */
export type RegionFact = { code: string; name: string; country: string; optIn: boolean }

const table: [code: string, name: string, country: string, optIn?: 'opt-in'][] = [
  ['af-south-1', 'Africa (Cape Town)', 'South Africa', 'opt-in'],
  ['ap-east-1', 'Asia Pacific (Hong Kong)', 'Hong Kong', 'opt-in'],
  ['ap-east-2', 'Asia Pacific (Taipei)', 'Taiwan', 'opt-in'],
  ['ap-northeast-1', 'Asia Pacific (Tokyo)', 'Japan'],
  ['ap-northeast-2', 'Asia Pacific (Seoul)', 'South Korea'],
  ['ap-northeast-3', 'Asia Pacific (Osaka)', 'Japan'],
  ['ap-south-1', 'Asia Pacific (Mumbai)', 'India'],
  ['ap-south-2', 'Asia Pacific (Hyderabad)', 'India', 'opt-in'],
  ['ap-southeast-1', 'Asia Pacific (Singapore)', 'Singapore'],
  ['ap-southeast-2', 'Asia Pacific (Sydney)', 'Australia'],
  ['ap-southeast-3', 'Asia Pacific (Jakarta)', 'Indonesia', 'opt-in'],
  ['ap-southeast-4', 'Asia Pacific (Melbourne)', 'Australia', 'opt-in'],
  ['ap-southeast-5', 'Asia Pacific (Malaysia)', 'Malaysia', 'opt-in'],
  ['ap-southeast-6', 'Asia Pacific (New Zealand)', 'New Zealand', 'opt-in'],
  ['ap-southeast-7', 'Asia Pacific (Thailand)', 'Thailand', 'opt-in'],
  ['ca-central-1', 'Canada (Central)', 'Canada'],
  ['ca-west-1', 'Canada West (Calgary)', 'Canada', 'opt-in'],
  ['eu-central-1', 'Europe (Frankfurt)', 'Germany'],
  ['eu-central-2', 'Europe (Zurich)', 'Switzerland', 'opt-in'],
  ['eu-north-1', 'Europe (Stockholm)', 'Sweden'],
  ['eu-south-1', 'Europe (Milan)', 'Italy', 'opt-in'],
  ['eu-south-2', 'Europe (Spain)', 'Spain', 'opt-in'],
  ['eu-west-1', 'Europe (Ireland)', 'Ireland'],
  ['eu-west-2', 'Europe (London)', 'United Kingdom'],
  ['eu-west-3', 'Europe (Paris)', 'France'],
  ['il-central-1', 'Israel (Tel Aviv)', 'Israel', 'opt-in'],
  ['me-central-1', 'Middle East (UAE)', 'United Arab Emirates', 'opt-in'],
  ['me-south-1', 'Middle East (Bahrain)', 'Bahrain', 'opt-in'],
  ['me-west-1', 'Middle East (Saudi Arabia)', 'Saudi Arabia', 'opt-in'],
  ['mx-central-1', 'Mexico (Central)', 'Mexico', 'opt-in'],
  ['sa-east-1', 'South America (Sao Paulo)', 'Brazil'],
  ['sa-west-1', 'South America (Chile)', 'Chile', 'opt-in'],
  ['us-east-1', 'US East (N. Virginia)', 'United States of America'],
  ['us-east-2', 'US East (Ohio)', 'United States of America'],
  ['us-west-1', 'US West (N. California)', 'United States of America'],
  ['us-west-2', 'US West (Oregon)', 'United States of America'],
]

export const regionFacts: ReadonlyMap<string, RegionFact> =
  new Map(table.map(([code, name, country, optIn]) => [code, { code, name, country, optIn: optIn !== undefined }]))
