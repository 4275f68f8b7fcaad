import type { ReactNode } from "react";
import { Icon } from "../ui/icon";
import styles from "./table.module.css";

export interface Sort<Key extends string = string> {
  by: Key;
  ascending: boolean;
}

export interface Column<T, Key extends string = string> {
  key: Key;
  title: string;
  cell(row: T): ReactNode;
  /** Numbers stand on the right. */
  numeric?: boolean;
  sortable?: boolean;
  /** First to go when there is little room. */
  minor?: boolean;
}

export interface Group<T> {
  key: string;
  title?: ReactNode;
  rows: readonly T[];
}

interface TableProps<T, Key extends string> {
  label: string;
  columns: readonly Column<T, Key>[];
  groups: readonly Group<T>[];
  keyOf(row: T): string;
  /** A second line under the row. */
  detail?(row: T): ReactNode;
  actions?(row: T): ReactNode;
  actionsLabel?: string;
  sort?: Sort<Key>;
  onSort?(sort: Sort<Key>): void;
  /** Greys a row whose values are not current. */
  stale?(row: T): boolean;
}

/** One grid with rows in groups. On narrow screens each row becomes a card with the same fields. */
export function Table<T, Key extends string>(props: TableProps<T, Key>) {
  const { label, columns, groups, keyOf, detail, actions, actionsLabel, sort, onSort, stale } = props;
  const width = columns.length + (actions ? 1 : 0);
  const ariaSort = (key: Key) => (sort?.by !== key ? undefined : sort.ascending ? "ascending" : "descending");
  return (
    <div className={styles.scroll}>
      <table className={styles.table} aria-label={label} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th
                key={column.key}
                role="columnheader"
                scope="col"
                data-numeric={column.numeric || undefined}
                data-minor={column.minor || undefined}
                aria-sort={ariaSort(column.key)}
              >
                {column.sortable && onSort ? (
                  <button
                    type="button"
                    onClick={() =>
                      onSort({ by: column.key, ascending: sort?.by === column.key ? !sort.ascending : true })
                    }
                  >
                    {column.title}
                    <span className={styles.arrow} data-on={sort?.by === column.key || undefined}>
                      <Icon name={sort?.by === column.key && !sort.ascending ? "down" : "up"} size={12} />
                    </span>
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
            {actions && (
              <th role="columnheader" scope="col">
                <span className={styles.hidden}>{actionsLabel}</span>
              </th>
            )}
          </tr>
        </thead>
        {groups.map((group) => (
          <tbody key={group.key} role="rowgroup">
            {group.title && (
              <tr role="row" className={styles.group}>
                <th role="rowheader" colSpan={width} scope="colgroup">
                  {group.title}
                </th>
              </tr>
            )}
            {group.rows.flatMap((row) => {
              const key = keyOf(row);
              const second = detail?.(row);
              return [
                <tr
                  key={key}
                  role="row"
                  className={styles.row}
                  data-stale={stale?.(row) || undefined}
                  data-detailed={second ? true : undefined}
                >
                  {columns.map((column) => (
                    <td
                      key={column.key}
                      role="cell"
                      data-title={column.title}
                      data-numeric={column.numeric || undefined}
                      data-minor={column.minor || undefined}
                    >
                      {column.cell(row)}
                    </td>
                  ))}
                  {actions && (
                    <td role="cell" className={styles.actions}>
                      {actions(row)}
                    </td>
                  )}
                </tr>,
                second && (
                  <tr key={`${key} detail`} role="row" className={styles.detail}>
                    <td role="cell" colSpan={width}>
                      {second}
                    </td>
                  </tr>
                ),
              ];
            })}
          </tbody>
        ))}
      </table>
    </div>
  );
}
