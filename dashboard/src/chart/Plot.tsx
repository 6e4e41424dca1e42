/** A uPlot in a box that it fills; drawn anew when the theme changes. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";

export interface PlotProps {
  readonly className: string;
  readonly options: (element: HTMLElement) => uPlot.Options;
  readonly data: uPlot.AlignedData;
  /** Anything that changes what is in view without changing the data. */
  readonly view: unknown;
  /** Index to hover, or `null`. */
  readonly hovered: number | null;
  readonly theme: string;
}

export function Plot({ className, options, data, view, hovered, theme }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newestData = useRef(data);
  newestData.current = data;
  const newestOptions = useRef(options);
  newestOptions.current = options;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colors that the options read
  useEffect(() => {
    const element = box.current;
    if (element === null) {
      return;
    }
    const { clientWidth: width, clientHeight: height } = element;
    const drawn = new uPlot(
      { ...newestOptions.current(element), width, height },
      newestData.current,
      element,
    );
    plot.current = drawn;
    const resize = new ResizeObserver(() => {
      drawn.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    resize.observe(element);
    const forgetTouch = followTouch(drawn);
    return () => {
      plot.current = null;
      forgetTouch();
      resize.disconnect();
      drawn.destroy();
    };
  }, [theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the view changes what the scales read
  useEffect(() => plot.current?.setData(data), [data, view]);

  useEffect(() => showCursor(plot.current, hovered), [hovered]);

  return <div className={className} ref={box} />;
}

/** Moves the cursor for the keyboard; the pointer's own position is left alone. */
function showCursor(plot: uPlot | null, hovered: number | null): void {
  if (plot === null || hovered === null || plot.cursor.idx === hovered) {
    return;
  }
  const time = plot.data[0][hovered];
  if (time !== undefined) {
    plot.setCursor({ left: plot.valToPos(time, "x"), top: 0 });
  }
}

/** uPlot follows the mouse only; a finger that slides along moves the cursor as well. */
function followTouch(plot: uPlot): () => void {
  const move = (event: PointerEvent): void => {
    if (event.pointerType === "touch") {
      const { left, top } = plot.over.getBoundingClientRect();
      plot.setCursor({ left: event.clientX - left, top: event.clientY - top });
    }
  };
  plot.over.addEventListener("pointerdown", move);
  plot.over.addEventListener("pointermove", move);
  return () => {
    plot.over.removeEventListener("pointerdown", move);
    plot.over.removeEventListener("pointermove", move);
  };
}
