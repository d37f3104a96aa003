/** Region names. Any name of AWS's form is a Region of its own. */

/** us-east-1, us-gov-west-1, eu-isoe-west-1, eusc-de-east-1. */
const FORM = /^[a-z]{2,4}(-[a-z]{2,12}){1,2}-\d{1,2}$/

export const isRegion = (name: string): boolean => FORM.test(name)
