import { type Base, component } from '../component.ts'
import type { Color, Length, Sizes } from './shared.ts'

export type CurveType =
  | 'basis'
  | 'basisClosed'
  | 'basisOpen'
  | 'bumpX'
  | 'bumpY'
  | 'bump'
  | 'linear'
  | 'linearClosed'
  | 'natural'
  | 'monotoneX'
  | 'monotoneY'
  | 'monotone'
  | 'step'
  | 'stepBefore'
  | 'stepAfter'

interface SeriesBase {
  /** The field of each row that is drawn. */
  dataKey: string
  /** What the legend calls it. */
  label?: string
  /** @default the next of the front end's own colours */
  color?: Color
}

export interface BarSeries extends SeriesBase {
  type: 'bar'
  /** Series of the same name stand on each other. */
  stack?: string
}

export interface AreaSeries extends SeriesBase {
  type: 'area'
  /** Series of the same name stand on each other. */
  stack?: string
  curveType?: CurveType
}

export interface LineSeries extends SeriesBase {
  type: 'line'
  curveType?: CurveType
}

export interface XAxis {
  dataKey: string
  hide?: boolean
  /** What stands for a value on the axis. */
  labels?: Record<string, string>
}

export interface Chart extends Base, Sizes {
  type: 'Chart'
  /** Rows, each with the fields that `series` and `xAxis` name. */
  data: Record<string, string | number>[]
  series: (BarSeries | AreaSeries | LineSeries)[]
  xAxis: string | XAxis
  showYAxis?: boolean
  showLegend?: boolean
  showTooltip?: boolean
  /** In pixels, like `barCategoryGap`. */
  barGap?: number
  barCategoryGap?: number
  flex?: Length
}

export const Chart = component<Chart, 'content'>('Chart', 'content')
